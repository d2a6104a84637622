/* predict.c - `tulle predict`: rows in, predictions out. */
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "interrupt.h"
#include "options.h"
#include "report.h"

static int on_progress(size_t rows, void *user)
{
    (void)rows, (void)user;
    return cli_interrupted();
}

static int run(const struct cli_options *options)
{
    const char *output = options->output ? options->output : "-";
    struct tulle_predict_options predict = TULLE_PREDICT_OPTIONS;
    const struct tulle_model_info *info;
    struct tulle_error error;
    tulle_model *model;
    size_t rows, *out_of_range = NULL;
    int status = 0;

    for (size_t i = 0; i < 2; i++) {
        if (cli_same_path(options->arguments[i], output))
            return cli_usage_error("--output: '%s' is the %s itself", output,
                                   i == 0 ? "model" : "data");
    }
    if (tulle_model_load(options->arguments[0], &model, &error) != TULLE_OK)
        return cli_fail(options, &error);
    info = tulle_model_info(model);
    if (options->probabilities && info->task != TULLE_TASK_CLASSIFICATION) {
        status =
            cli_usage_error("--proba: '%s' predicts numbers, not classes", options->arguments[0]);
        goto out;
    }
    predict.progress = on_progress;
    predict.probabilities = options->probabilities;
    predict.missing = options->missing.items;
    predict.missing_count = options->missing.count;
    if (options->warn_range)
        out_of_range = cli_allocate(info->input_count, sizeof *out_of_range);
    predict.out_of_range = out_of_range;
    if (strcmp(output, "-") != 0)
        cli_interrupt_hold(CLI_TIDY_SECONDS);
    if (tulle_predict_file(model, options->arguments[1], output, &predict, &rows, &error) !=
        TULLE_OK) {
        status = cli_fail(options, &error);
        goto out;
    }
    if (options->warn_range)
        cli_log_out_of_range(options, info, out_of_range);
    if (strcmp(output, "-") != 0)
        cli_log(options, "predicted %zu row%s to %s", rows, rows == 1 ? "" : "s", output);
out:
    free(out_of_range);
    tulle_model_free(model);
    return status;
}

const struct cli_command cli_predict = {
    .bit = CLI_PREDICT,
    .name = "predict",
    .summary = "predict the targets of new rows",
    .synopsis = "MODEL DATA [-o FILE] [OPTIONS]",
    .description =
        "Writes CSV to stdout, or to --output: a header with the targets' names, then one line of "
        "predictions for each row of DATA: a number in the target's own units, with as many digits "
        "as it takes to read it back exactly, or the name of the most probable class. There is a "
        "column TARGET:Q for each quantile if there are several, and with --proba TARGET:CLASS for "
        "each class.\n\n"
        "Columns are found by name: their order does not matter, and others are ignored, the "
        "targets too. DATA may be of any length: it is never in memory as a whole.",
    .arguments = {{"MODEL", "a file that 'tulle train' wrote"}, {"DATA", CLI_DATA_HELP}},
    .required = 2,
    .examples = "  tulle predict houses.tulle new.csv\n"
                "  tulle predict houses.tulle - -o predictions.csv < new.csv\n"
                "  tulle predict houses.tulle new.csv | paste -d, new.csv - > with_prices.csv\n",
    .run = run,
};
