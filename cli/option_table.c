/* option_table.c - every option of every command: its value, its place in struct cli_options and
 * its line of help. */
#include "options.h"

#define FIELD(member) offsetof(struct cli_options, member), #member
#define DATA "Data"
#define RECIPE "Recipe"
#define COLUMNS "Column"
#define NETWORK "Network"
#define LOSS "Loss"
#define TRAINING "Training"
#define OPTIMIZER "Optimiser"
#define SCHEDULE "Schedule"
#define CHECKPOINT "Checkpoint"
#define TRIALS "Trial"
#define BENCHMARK "Benchmark"
#define OUTPUT "Output"
#define OTHER "Other"

const struct cli_option cli_option_table[] = {
    {"target", NULL, "NAME,...", CLI_FITS, DATA, &cli_type_names, FIELD(target),
     "the columns to predict; required. All other columns are inputs. In lists a name with a comma "
     "stands in double quotes, as in CSV"},
    {"task", NULL, "TASK", CLI_FITS, DATA, &cli_type_task, FIELD(train.task),
     "what the targets are; with auto text is classes, and so are two different numbers"},
    {"drop", NULL, "NAME,...", CLI_FITS, DATA, &cli_type_names, FIELD(drop),
     "columns to leave out; they may hold anything"},
    {"weight", NULL, "NAME", CLI_FITS | CLI_EVAL, DATA, &cli_type_text, FIELD(train.weight_column),
     "the column that says how much each row counts, 0 or more; it is no input"},
    {"split-column", NULL, "NAME", CLI_TRAIN | CLI_TUNE | CLI_EVAL, DATA, &cli_type_text,
     FIELD(split_column),
     "the column that holds train, valid (or val, validation) or test for each row"},
    {"split", NULL, "SPLIT", CLI_EVAL, DATA, &cli_type_split, FIELD(split), "the rows to measure"},
    {"valid", NULL, "FRACTION", CLI_FITS, DATA, &cli_type_fraction, FIELD(train.valid_fraction),
     "without a split column: the fraction of rows, drawn at random, of each class alike, that "
     "training does not see and that the valid loss is measured on"},
    {"test", NULL, "FRACTION", CLI_TRAIN | CLI_TUNE, DATA, &cli_type_fraction,
     FIELD(train.test_fraction),
     "without a split column: the fraction of rows kept for the test metrics"},
    {"valid-file", NULL, "FILE", CLI_TRAIN | CLI_TUNE, DATA, &cli_type_text, FIELD(valid_file),
     "a table of valid rows; all rows of DATA are then train rows, but for the test rows of a "
     "split column"},

    {"recipe", NULL, "NAME", CLI_FITS, RECIPE, &cli_type_recipe, FIELD(train.recipe),
     "what all options are that have [by recipe] behind them, unless they are given; 'tulle help "
     "recipes' has each recipe's values"},

    {"categorical", NULL, "NAME,...", CLI_FITS, COLUMNS, &cli_type_names, FIELD(categorical),
     "columns whose cells are names, even where they look like numbers"},
    {"numeric", NULL, "NAME,...", CLI_FITS, COLUMNS, &cli_type_names, FIELD(numeric),
     "columns whose cells are numbers or missing. Other columns are what their first cell is"},
    {"missing", NULL, "TEXT,...", CLI_FITS | CLI_EVAL | CLI_PREDICT, COLUMNS, &cli_type_missing,
     FIELD(missing),
     "cells that hold no value, besides empty ones; '' for none. Without this, eval and predict "
     "take those of training"},
    {"scaling", NULL, "NAME", CLI_FITS, COLUMNS, &cli_type_scaling, FIELD(train.scaling),
     "how numeric inputs enter: as they are; with mean 0 and deviation 1; by median and quartiles, "
     "far values drawn in; or as the normal deviates of their ranks"},
    {"standardize-targets", NULL, "yes|no", CLI_FITS, COLUMNS, &cli_type_yes_no,
     FIELD(train.standardize_targets),
     "train on numeric targets with mean 0 and deviation 1. Predictions are in the targets' own "
     "units all the same"},
    {"clamp", NULL, "yes|no", CLI_FITS, COLUMNS, &cli_type_yes_no, FIELD(train.clamp_predictions),
     "numeric predictions stay within the target's range over the train rows"},
    {"one-hot-levels", NULL, "N", CLI_FITS, COLUMNS, &cli_type_count_or_none,
     FIELD(train.one_hot_levels),
     "a categorical column of at most so many levels enters as an input for each; one of more as a "
     "vector that is learned"},
    {"embedding-dim", NULL, "N", CLI_FITS, COLUMNS, &cli_type_count,
     FIELD(train.embedding_dimensions), "numbers in such a vector"},
    {"number-dim", NULL, "N", CLI_FITS, COLUMNS, &cli_type_count_or_none,
     FIELD(train.number_dimensions),
     "so many learned functions of each numeric input enter beside it; 0 for none"},
    {"number-bins", NULL, "N", CLI_FITS, COLUMNS, &cli_type_count_or_trial,
     FIELD(train.number_bins),
     "makes them piecewise linear, in so many bins of as many rows; 0 makes them sums of waves "
     "whose frequencies are learned; auto is 2 or 48, by which of two short trainings fits the "
     "valid rows better"},
    {"number-frequencies", NULL, "N", CLI_FITS, COLUMNS, &cli_type_count_or_none,
     FIELD(train.number_frequencies), "so many waves"},
    {"number-deviation", NULL, "X", CLI_FITS, COLUMNS, &cli_type_amount,
     FIELD(train.number_deviation),
     "the frequencies begin as normal deviates times this, in waves per unit of the scaled input"},

    {"hidden", NULL, "UNITS,...", CLI_FITS, NETWORK, &cli_type_counts, FIELD(hidden),
     "units of the hidden layers, from the inputs on; none makes a linear model"},
    {"activation", NULL, "NAME", CLI_FITS, NETWORK, &cli_type_activation, FIELD(train.activation),
     "what the units of the hidden layers compute from their sum"},
    {"parametric", NULL, "yes|no", CLI_FITS, NETWORK, &cli_type_yes_no, FIELD(train.parametric),
     "each hidden unit learns how much of the activation it takes"},
    {"dropout", NULL, "FRACTION", CLI_FITS, NETWORK, &cli_type_fraction, FIELD(train.dropout),
     "the fraction of hidden units that a step leaves out at random"},
    {"input-factors", NULL, "yes|no", CLI_FITS, NETWORK, &cli_type_yes_no,
     FIELD(train.input_factors), "each input is multiplied by a factor that is learned"},
    {"members", NULL, "N", CLI_FITS, NETWORK, &cli_type_count, FIELD(train.members),
     "so many networks in one, which predict their mean: they share all weights but the input "
     "factors and the last layer. Time grows with them"},
    {"init", NULL, "NAME", CLI_FITS, NETWORK, &cli_type_initializer, FIELD(train.initializer),
     "how weights begin; data fits them to the first rows"},
    {"parametrization", NULL, "NAME", CLI_FITS, NETWORK, &cli_type_parametrization,
     FIELD(train.parametrization), "what the learning rate means to the weights of a layer"},
    {"precision", NULL, "f32|f64", CLI_FITS, NETWORK, &cli_type_precision, FIELD(train.precision),
     "the numbers that the network computes with: 4 or 8 bytes each"},

    {"loss", NULL, "NAME", CLI_FITS, LOSS, &cli_type_loss, FIELD(train.loss),
     "what training makes small; auto is mse for numbers and cross entropy for classes"},
    {"quantiles", NULL, "Q,...", CLI_FITS, LOSS, &cli_type_quantiles, FIELD(quantiles),
     "of --loss quantile: what to predict, 0.5 being the median, all of it at once [0.5]"},
    {"huber-delta", NULL, "D", CLI_FITS, LOSS, &cli_type_rate, FIELD(train.huber_delta),
     "of --loss huber: the error, in standard deviations of the target, from which on it counts "
     "linearly"},
    {"label-smoothing", NULL, "FRACTION", CLI_FITS, LOSS, &cli_type_fraction,
     FIELD(train.label_smoothing),
     "of classes: the probability that is spread over all of them in place of the true one"},
    {"class-weights", NULL, "WEIGHTS", CLI_FITS, LOSS, &cli_type_class_weights,
     FIELD(class_weights),
     "how much rows of a class count: CLASS=W,... (others 1), or balanced, where all classes count "
     "the same altogether"},

    {"epochs", NULL, "N", CLI_FITS, TRAINING, &cli_type_count_or_auto, FIELD(train.epochs),
     "passes over the training rows"},
    {"batch", NULL, "ROWS", CLI_FITS, TRAINING, &cli_type_count_or_auto, FIELD(train.batch_size),
     "rows in a step; auto goes by the number of train rows"},
    {"patience", NULL, "N", CLI_FITS, TRAINING, &cli_type_count_or_none, FIELD(train.patience),
     "end after so many epochs without a better valid loss; 0 never does"},
    {"keep-best", NULL, "yes|no", CLI_FITS, TRAINING, &cli_type_yes_no, FIELD(train.keep_best),
     "the model is that of the epoch with the lowest valid loss; no, that of the last"},
    {"seed", NULL, "N", CLI_FITS, TRAINING, &cli_type_seed, FIELD(train.seed),
     "seeds the random numbers behind the split, the first weights, the order of rows and dropout. "
     "The same data, options and seed give the same model, byte for byte"},
    {"threads", NULL, "N", CLI_FITS | CLI_BENCH, TRAINING, &cli_type_threads, FIELD(train.threads),
     "at most that many; 0 is as many as the CPUs and the work allow. Results are the same to the "
     "bit"},

    {"optimizer", NULL, "NAME", CLI_FITS, OPTIMIZER, &cli_type_optimizer, FIELD(train.optimizer),
     "how a step changes the weights"},
    {"lr", NULL, "RATE", CLI_FITS, OPTIMIZER, &cli_type_rate, FIELD(train.learning_rate),
     "the learning rate: how far a step goes. Too high and training diverges; adam and adamw want "
     "some 0.001, with --parametrization ntk far more"},
    {"momentum", NULL, "FRACTION", CLI_FITS, OPTIMIZER, &cli_type_fraction, FIELD(train.momentum),
     "of sgd and nesterov: how much of the last step goes into the next"},
    {"beta1", NULL, "FRACTION", CLI_FITS, OPTIMIZER, &cli_type_fraction, FIELD(train.beta1),
     "of adam and adamw: how much of the mean gradient is kept at a step"},
    {"beta2", NULL, "FRACTION", CLI_FITS, OPTIMIZER, &cli_type_fraction, FIELD(train.beta2),
     "of rmsprop, adam and adamw: the same of the mean square"},
    {"epsilon", NULL, "X", CLI_FITS, OPTIMIZER, &cli_type_rate, FIELD(train.epsilon),
     "of the same: what is added to the root of the mean square"},
    {"weight-decay", NULL, "X", CLI_FITS, OPTIMIZER, &cli_type_amount, FIELD(train.weight_decay),
     "draws weights to 0, in proportion to their size"},
    {"bias-lr", NULL, "X", CLI_FITS, OPTIMIZER, &cli_type_amount, FIELD(train.bias_learning_rate),
     "times the learning rate, for biases"},
    {"mix-lr", NULL, "X", CLI_FITS, OPTIMIZER, &cli_type_amount, FIELD(train.mix_learning_rate),
     "the same for what --parametric learns"},
    {"factor-lr", NULL, "X", CLI_FITS, OPTIMIZER, &cli_type_amount,
     FIELD(train.factor_learning_rate), "the same for the input factors"},
    {"number-lr", NULL, "X", CLI_FITS, OPTIMIZER, &cli_type_amount,
     FIELD(train.number_learning_rate), "the same for the waves of numeric inputs"},
    {"bias-decay", NULL, "X", CLI_FITS, OPTIMIZER, &cli_type_amount, FIELD(train.bias_weight_decay),
     "times the weight decay, for biases"},
    {"clip-norm", NULL, "X", CLI_FITS, OPTIMIZER, &cli_type_amount, FIELD(train.clip_norm),
     "the largest norm of all gradients of a step together; 0 sets no limit"},
    {"averaging", NULL, "FRACTION", CLI_FITS, OPTIMIZER, &cli_type_fraction, FIELD(train.averaging),
     "the model is a running average of the weights, of which each step keeps so much; 0 takes the "
     "weights themselves"},

    {"schedule", NULL, "NAME", CLI_FITS, SCHEDULE, &cli_type_schedule, FIELD(train.schedule),
     "how the learning rate goes from the first step to the last"},
    {"schedule-factor", NULL, "X", CLI_FITS, SCHEDULE, &cli_type_factor,
     FIELD(train.schedule_factor), "of step and plateau: what it is multiplied by at a time"},
    {"schedule-epochs", NULL, "N", CLI_FITS, SCHEDULE, &cli_type_count,
     FIELD(train.schedule_epochs),
     "of step: epochs between two such times; of plateau: epochs without a better valid loss"},
    {"warmup", NULL, "FRACTION", CLI_FITS, SCHEDULE, &cli_type_fraction, FIELD(train.warmup),
     "the fraction of all steps in which it grows from 0 to what the schedule says"},
    {"fading", NULL, "NAME", CLI_FITS, SCHEDULE, &cli_type_fading, FIELD(train.fading),
     "how dropout and weight decay go from the first step to the last"},

    {"checkpoint", NULL, "FILE", CLI_TRAIN, CHECKPOINT, &cli_type_text, FIELD(train.checkpoint),
     "keeps in FILE, and the state before in FILE.previous, where training stands; also when a "
     "signal ends it"},
    {"checkpoint-seconds", NULL, "X", CLI_TRAIN, CHECKPOINT, &cli_type_amount,
     FIELD(train.checkpoint_seconds), "writes it that often"},
    {"checkpoint-steps", NULL, "N", CLI_TRAIN, CHECKPOINT, &cli_type_count_or_none,
     FIELD(train.checkpoint_steps), "writes it every N steps instead, unless that is 0"},
    {"resume", NULL, NULL, CLI_TRAIN, CHECKPOINT, &cli_type_flag, FIELD(train.resume),
     "goes on from the checkpoint, if there is one, to the model, byte for byte, that training "
     "without a stop gives; --threads may differ"},

    {"folds", NULL, "N", CLI_CV, TRIALS, &cli_type_folds, FIELD(folds),
     "models to train, each tested on one part of so many"},
    {"budget", NULL, "TIME", CLI_TUNE, TRIALS, &cli_type_time, FIELD(budget),
     "how long to search, as 90s, 10m or 2h; only trial 1 may take longer"},
    {"trials", NULL, "N", CLI_TUNE, TRIALS, &cli_type_limit, FIELD(trials),
     "end after so many; without --budget, however long that takes"},

    {"only", NULL, "PART", CLI_BENCH, BENCHMARK, &cli_type_part, FIELD(only),
     "measure this part alone, and the peak"},
    {"quick", NULL, NULL, CLI_BENCH, BENCHMARK, &cli_type_flag, FIELD(quick),
     "fewer and shorter repeats: rough figures in seconds"},

    {"output", "o", "FILE", CLI_TRAIN | CLI_TUNE | CLI_PREDICT, OUTPUT, &cli_type_text,
     FIELD(output),
     "the file to write; it appears only when it is complete. For train and predict - is stdout"},
    {"proba", NULL, NULL, CLI_PREDICT, OUTPUT, &cli_type_flag, FIELD(probabilities),
     "of a classifier: a column for each class, with its probability"},
    {"warn-range", NULL, NULL, CLI_EVAL | CLI_PREDICT, OUTPUT, &cli_type_flag, FIELD(warn_range),
     "say of each input how many rows are outside of what training saw: beyond its smallest and "
     "largest number, or of an unknown level"},
    {"log", NULL, "FILE", CLI_TRAIN, OUTPUT, &cli_type_text, FIELD(log),
     "write a line of JSON for each epoch, as it ends"},
    {"json", NULL, NULL, CLI_FITS | CLI_EVAL | CLI_INFO | CLI_BENCH, OUTPUT, &cli_type_flag,
     FIELD(json), "print the results to stdout as one JSON object"},
    {"quiet", NULL, NULL, CLI_FITS | CLI_EVAL | CLI_PREDICT, OUTPUT, &cli_type_flag, FIELD(quiet),
     "no log on stderr; errors are still printed"},

    {"help", "h", NULL, CLI_EVERY, OTHER, &cli_type_flag, FIELD(help), "print this and exit"},
    {"version", NULL, NULL, CLI_EVERY, OTHER, &cli_type_flag, FIELD(version),
     "print the version and what this build can do, and exit"},
    {NULL, NULL, NULL, 0, NULL, NULL, 0, NULL, NULL},
};

const size_t cli_option_count = sizeof cli_option_table / sizeof cli_option_table[0] - 1;
_Static_assert(sizeof cli_option_table / sizeof cli_option_table[0] - 1 <=
                   sizeof((struct cli_options *)0)->given,
               "given[] is too short");
