/* recipes.c - what the recipes say: a row for each setting, a column for each recipe. */
#include "../base/portability.h"

#include "../base/status.h"

/*
 * tabular, ensemble, realmlp, plain, notebook; OF(numbers, classes) where the task makes a
 * difference. Realmlp is RealMLP-TD (Holzmueller et al., Better by default, 2024). Tabular and
 * ensemble are TabM-mini with piecewise-linear embeddings (Gorishniy et al., TabM, 2025), made
 * small and trained fast; docs/quality.md has what was measured. What has no part in a recipe, such
 * as the frequencies of numbers without dimensions, is what is of use once an option gives it one.
 */
#define SETTINGS(ROW, OF)                                                                          \
    ROW(scaling, "quantile", "quantile", "robust", "standard", "standard")                         \
    ROW(standardize_targets, "yes", "yes", "yes", "yes", "yes")                                    \
    ROW(clamp_predictions, "yes", "yes", "yes", "no", "no")                                        \
    ROW(one_hot_levels, "8", "8", "8", "8", "8")                                                   \
    ROW(embedding_dimensions, "8", "8", "8", "8", "8")                                             \
    ROW(number_dimensions, "4", "4", "3", "0", "0")                                                \
    ROW(number_bins, "auto", "auto", "0", "0", "0")                                                \
    ROW(number_frequencies, "16", "16", "16", "16", "16")                                          \
    ROW(number_deviation, "0.1", "0.1", "0.1", "0.1", "0.1")                                       \
    ROW(hidden, "128,128", OF("192,192", "256,256"), "256,256,256", "128,128", "128,256")          \
    ROW(activation, "relu", "relu", OF("mish", "selu"), "relu", "relu")                            \
    ROW(parametric, "no", "no", "yes", "no", "no")                                                 \
    ROW(dropout, "0.1", "0.1", "0.15", "0", "0")                                                   \
    ROW(input_factors, "yes", "yes", "yes", "no", "no")                                            \
    ROW(members, "8", "8", "1", "1", "1")                                                          \
    ROW(initializer, "fan_in", "fan_in", "data", "fan_in", "fan_in")                               \
    ROW(parametrization, "standard", "standard", "ntk", "standard", "standard")                    \
    ROW(optimizer, "adamw", "adamw", "adamw", "adam", "sgd")                                       \
    ROW(learning_rate, "0.01", "0.01", OF("0.2", "0.04"), "0.001", "0.02")                         \
    ROW(bias_learning_rate, "1", "1", "0.1", "1", "1")                                             \
    ROW(mix_learning_rate, "1", "1", "0.1", "1", "1")                                              \
    ROW(factor_learning_rate, "1", "1", "6", "1", "1")                                             \
    ROW(number_learning_rate, "1", "1", "0.1", "1", "1")                                           \
    ROW(momentum, "0", "0", "0", "0", "0")                                                         \
    ROW(beta1, "0.9", "0.9", "0.9", "0.9", "0.9")                                                  \
    ROW(beta2, "0.95", "0.95", "0.95", "0.999", "0.999")                                           \
    ROW(epsilon, "1e-08", "1e-08", "1e-08", "1e-08", "1e-08")                                      \
    ROW(weight_decay, "0.05", "0.05", "0.02", "0", "0")                                            \
    ROW(bias_weight_decay, "0", "0", "0", "0", "0")                                                \
    ROW(clip_norm, "0", "0", "0", "0", "0")                                                        \
    ROW(averaging, "0.99", "0.99", "0", "0", "0")                                                  \
    ROW(label_smoothing, "0", "0", OF("0", "0.1"), "0", "0")                                       \
    ROW(batch_size, "auto", "auto", "auto", "auto", "32")                                          \
    ROW(epochs, "auto", "auto", "256", "100", "100")                                               \
    ROW(schedule, "cosine", "cosine", "coslog4", "constant", "constant")                           \
    ROW(schedule_factor, "0.1", "0.1", "0.1", "0.1", "0.1")                                        \
    ROW(schedule_epochs, "10", "10", "10", "10", "10")                                             \
    ROW(warmup, "0", "0", "0", "0", "0")                                                           \
    ROW(fading, "none", "none", "flat_cos", "none", "none")                                        \
    ROW(patience, "0", "0", "0", "0", "0")                                                         \
    ROW(keep_best, "yes", "yes", "yes", "yes", "yes")

#define NUMBERS(numbers, classes) numbers
#define CLASSES(numbers, classes) classes
#define TABULAR(name, tabular, ensemble, realmlp, plain, notebook) {#name, tabular},
#define ENSEMBLE(name, tabular, ensemble, realmlp, plain, notebook) {#name, ensemble},
#define REALMLP(name, tabular, ensemble, realmlp, plain, notebook) {#name, realmlp},
#define PLAIN(name, tabular, ensemble, realmlp, plain, notebook) {#name, plain},
#define NOTEBOOK(name, tabular, ensemble, realmlp, plain, notebook) {#name, notebook},

#define ONE(name, ...) +1
enum { COUNT = 0 SETTINGS(ONE, NUMBERS) };

static const struct tulle_setting recipes[][2][COUNT] = {
#define RECIPE(NAME, ...)                                                                          \
    [TULLE_RECIPE_##NAME] = {{SETTINGS(NAME, NUMBERS)}, {SETTINGS(NAME, CLASSES)}},
    TULLE_RECIPE_LIST(RECIPE)
#undef RECIPE
};

const struct tulle_setting *tulle_recipe_settings(enum tulle_recipe recipe, int is_of_classes,
                                                  size_t *count)
{
    int is_known = tulle_recipe_name(recipe) != NULL;
    *count = is_known ? COUNT : 0;
    return is_known ? recipes[recipe][is_of_classes != 0] : NULL;
}
