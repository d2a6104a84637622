/* settings.h - the settings of struct tulle_train_options as texts (struct tulle_setting): what
 * recipes consist of, what models keep, and what checkpoints compare. */
#ifndef TULLE_SETTINGS_H
#define TULLE_SETTINGS_H

#include "../base/status.h"

/* Takes from the settings of a recipe what in the options is as the recipe says. Where that is
 * hidden, the caller frees it, after a failure too. TULLE_ERROR_ARGUMENT for a setting that is
 * none.
 */
enum tulle_status tulle_settings_complete(struct tulle_train_options *options,
                                          const struct tulle_setting *settings, size_t count);

/*
 * All settings of complete options, in the order of their members; NULL if there is no memory. They
 * and their texts are one block, to be freed with tulle_free(). Those that have no part in such a
 * run are left out: the fractions of rows where the table has splits of its own, class weights that
 * there are none of, and what belongs to another loss.
 */
struct tulle_setting *tulle_settings_texts(const struct tulle_train_options *options,
                                           int has_splits, size_t *count);

#endif
