/*
 * train_settings.h - the settings of struct tulle_train_options as options of `tulle train`: what
 * recipes say, which options go together, and which repeat a model's training.
 */
#ifndef TULLE_CLI_TRAIN_SETTINGS_H
#define TULLE_CLI_TRAIN_SETTINGS_H

#include "../include/tulle.h"
#include "options.h"

/* The value of the setting of that name; NULL where there is none. */
const char *cli_setting_value(const struct tulle_setting *settings, size_t count, const char *name);

/* What the recipe says for the option; NULL if recipes say nothing of it. */
const char *cli_recipe_value(enum tulle_recipe recipe, int is_of_classes,
                             const struct cli_option *option);

/* Whether an option is given that means something only with some values of this one. */
int cli_option_is_needed(const struct cli_options *options, const char *name);

/* Whether another setting of the model makes this option mean nothing. */
int cli_option_is_idle(const struct tulle_model_info *info, const char *option);

/* Refuses options that mean nothing beside the others. Returns 0 or the exit status. */
int cli_settings_check(const struct cli_options *options);

/* --- Repeating a run --- */

/* An option that was, or might have been, given to `tulle train`. */
struct cli_given {
    const char *option; /* without "--" */
    char *value;
};

/* The options that repeat the training of a model, but for the names of files and the columns that
 * were left out by --drop: *count of them. None for a model that knows of no settings. */
struct cli_given *cli_repeating_options(const struct tulle_model_info *info, size_t *count);
void cli_given_free(struct cli_given *given, size_t count);

#endif
