/* describe.h - models and their columns in words, for the log and for info. All texts are to be
 * freed. */
#ifndef TULLE_CLI_DESCRIBE_H
#define TULLE_CLI_DESCRIBE_H

#include "../include/tulle.h"

/* Appends a name as it stands in a list of the command line, freeing text. */
char *cli_append_name(char *text, const char *name);

/* Appends a word as a shell takes it, freeing text. */
char *cli_append_word(char *text, const char *word);

/* "a, b, c and 5 more". */
char *cli_list_text(const char *const *names, size_t count);

/* "8 -> 128 -> 128 -> 1, relu, 17793 parameters, f32"; "32 (24 of waves) -> 64 -> 1, mish, 8
 * members, input factors, ..." */
char *cli_network_text(const struct tulle_model_info *info);

/* "classification of 'species': setosa, virginica" */
char *cli_task_text(const struct tulle_model_info *info);

/* "14 inputs: 6 numeric, 8 categorical; 3 with missing values" */
char *cli_inputs_text(const struct tulle_model_info *info);

/* How a column enters the network: "standard", "one of 5", "vector of 8", "-1 or 1". */
char *cli_entry_text(const struct tulle_column *column);

/* Numbers that enter the first layer. */
size_t cli_network_inputs(const struct tulle_model_info *info);

/* Whether the valid rows came from a table of their own. */
int cli_has_valid_table(const struct tulle_model_info *info);

#endif
