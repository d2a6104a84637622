/* model_use.h - all that can be done with a file that may be a model. */
#ifndef MODEL_USE_H
#define MODEL_USE_H

/* Loads the file; if it is a model, describes it as `tulle info` does, predicts with it, evaluates
 * it, saves it and loads that again. */
void use_model(const char *path);

#endif
