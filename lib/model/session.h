/* session.h - for whoever predicts more rows than memory should hold at once. */
#ifndef TULLE_SESSION_H
#define TULLE_SESSION_H

#include "model.h"

/* Rows to predict at a time: enough for whole parts of a batch (workspace.h), and so few that their
 * inputs and predictions take some 8 MB, where the model is not very wide. */
size_t tulle_session_block(const struct tulle_model *model);

#endif
