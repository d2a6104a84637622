/* predict.c - `tulle predict`: rows in, predictions out. */
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
    struct tulle_error error;
    tulle_model *model;
    size_t rows;
    int status = 0;

    for (size_t i = 0; i < 2; i++) {
        if (cli_same_file(options->arguments[i], output))
            return cli_usage_error("--output: '%s' is the %s itself", output,
                                   i == 0 ? "model" : "data");
    }
    if (tulle_model_load(options->arguments[0], &model, &error) != TULLE_OK)
        return cli_fail(&error);
    predict.progress = on_progress;
    if (strcmp(output, "-") != 0)
        cli_interrupt_hold();
    if (tulle_predict_file(model, options->arguments[1], output, &predict, &rows, &error) !=
        TULLE_OK)
        status = cli_fail(&error);
    else if (strcmp(output, "-") != 0)
        cli_log(options, "predicted %zu rows to %s", rows, output);
    tulle_model_free(model);
    return status;
}

const struct cli_command cli_predict = {
    .bit = CLI_PREDICT,
    .name = "predict",
    .summary = "predict the targets of new rows",
    .synopsis = "MODEL DATA [-o FILE]",
    .description =
        "Writes CSV to stdout, or to --output: a header with the targets' names, then one line of "
        "predictions for each row of DATA, in the targets' own units and with as many digits as it "
        "takes to read them back exactly.\n\n"
        "Columns are found by name: their order does not matter, and others are ignored, the "
        "targets too. DATA may be of any length: it is never in memory as a whole.",
    .arguments = {{"MODEL", "a file that 'tulle train' wrote"}, {"DATA", CLI_DATA_HELP}},
    .required = 2,
    .examples = "  tulle predict houses.tulle new.csv\n"
                "  tulle predict houses.tulle - -o predictions.csv < new.csv\n"
                "  tulle predict houses.tulle new.csv | paste -d, new.csv - > with_prices.csv\n",
    .run = run,
};
