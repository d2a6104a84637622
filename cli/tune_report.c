/* tune_report.c - what `tulle tune` prints: the best trials, for programs all of them. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "report.h"
#include "tune.h"

enum { SHOWN = 10 };

static const char *const outcome_names[] = {"running",  "finished", "stopped",
                                            "diverged", "given up", "failed"};

/* Of the best model's task. */
static unsigned known_metrics(const struct cli_tune *tune)
{
    const struct tulle_model_info *info = tulle_model_info(tune->best->model);
    return cli_metrics_known(tune->best->valid, info->target_count);
}

/* --- For people --- */

static int compare_trials(const void *a, const void *b)
{
    const struct cli_trial *x = *(struct cli_trial *const *)a, *y = *(struct cli_trial *const *)b;
    if (x->outcome != y->outcome)
        return x->outcome < y->outcome ? -1 : 1; /* the finished ones first, then the stopped */
    if (x->loss != y->loss)
        return x->loss < y->loss ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

static void add_header(struct cli_table *table, const struct cli_tune *tune, unsigned known)
{
    table->columns = 3;
    cli_table_add(table, "trial");
    cli_table_add(table, "epochs");
    cli_table_add(table, "valid loss");
    cli_table_add_names(table, known);
    for (size_t i = 0; i < CLI_DIMENSIONS; i++) {
        if (!tune->is_searched[i])
            continue;
        cli_table_add(table, "%s", cli_search_space[i].option);
        table->columns++;
    }
}

/* Means over the targets; a trial that was stopped has none. */
static void add_trial(struct cli_table *table, const struct cli_trial *trial, unsigned known)
{
    const struct cli_tune *tune = trial->tune;
    size_t targets = tulle_model_info(tune->best->model)->target_count;
    struct tulle_metrics mean = {0};
    for (int m = 0; m < TULLE_METRIC_SLOTS; m++)
        for (size_t i = 0; i < targets; i++)
            mean.value[m] +=
                trial->outcome == CLI_FINISHED ? trial->valid[i].value[m] / (double)targets : NAN;
    cli_table_add(table, "%zu", trial->index + 1);
    cli_table_add(table, trial->outcome == CLI_STOPPED ? "%zu, stopped" : "%zu", trial->epochs);
    cli_table_add(table, "%.6g", trial->loss);
    cli_table_add_values(table, known, &mean);
    for (size_t i = 0; i < CLI_DIMENSIONS; i++)
        if (tune->is_searched[i])
            cli_table_add(table, "%s",
                          trial->values[i]            ? trial->values[i]
                          : cli_trial_takes(trial, i) ? tune->bases[i]
                                                      : "-");
}

static void print_trials(const struct cli_tune *tune)
{
    struct cli_table table = {0};
    unsigned known = known_metrics(tune);
    struct cli_trial **trials = cli_allocate(tune->count, sizeof *trials);
    size_t count = 0;
    for (size_t i = 0; i < tune->count; i++)
        if (tune->trials[i]->outcome == CLI_FINISHED || tune->trials[i]->outcome == CLI_STOPPED)
            trials[count++] = tune->trials[i];
    qsort(trials, count, sizeof *trials, compare_trials);
    add_header(&table, tune, known);
    for (size_t i = 0; i < count && i < SHOWN; i++)
        add_trial(&table, trials[i], known);
    cli_table_print(stdout, &table, "");
    cli_table_free(&table);
    free(trials);
}

void cli_tune_log(const struct cli_tune *tune)
{
    size_t counts[sizeof outcome_names / sizeof outcome_names[0]] = {0};
    for (size_t i = 0; i < tune->count; i++)
        counts[tune->trials[i]->outcome]++;
    char *text = cli_format("%zu trial%s", tune->count, tune->count == 1 ? "" : "s");
    const char *separator = ": ";
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        if (counts[i] == 0)
            continue;
        text = cli_append(text, "%s%zu %s", separator, counts[i], outcome_names[i]);
        separator = ", ";
    }
    cli_log(tune->job.options, "%s", text);
    free(text);
}

static int print_text(const struct cli_tune *tune)
{
    struct cli_table table = {0};
    char *options = cli_trial_options(tune->best);
    print_trials(tune);
    printf("\nbest: trial %zu, for 'tulle train': %s\n\n", tune->best->index + 1,
           *options ? options : "no further options");
    cli_table_add_model_metrics(&table, tulle_model_info(tune->best->model));
    cli_table_print(stdout, &table, "");
    cli_table_free(&table);
    free(options);
    return cli_close_stdout();
}

/* --- For programs --- */

static json_t *trial_json(const struct cli_trial *trial, unsigned known)
{
    const struct tulle_model_info *info = tulle_model_info(trial->tune->best->model);
    int is_finished = trial->outcome == CLI_FINISHED;
    json_t *object = json_object(), *options = json_object();
    for (size_t i = 0; i < CLI_DIMENSIONS; i++)
        if (trial->values[i])
            cli_json_set(options, cli_search_space[i].option, cli_json_text(trial->values[i]));
    cli_json_set(object, "trial", cli_json_count(trial->index + 1));
    cli_json_set(object, "outcome", cli_json_text(outcome_names[trial->outcome]));
    cli_json_set(object, "epochs", cli_json_count(trial->epochs));
    cli_json_set(object, "valid_loss",
                 is_finished || trial->outcome == CLI_STOPPED ? cli_json_number(trial->loss)
                                                              : json_null());
    cli_json_set(object, "valid",
                 is_finished ? cli_json_metrics(info, known, trial->valid) : json_null());
    cli_json_set(object, "options", options);
    return object;
}

static int print_json(const struct cli_tune *tune)
{
    const struct tulle_model_info *info = tulle_model_info(tune->best->model);
    json_t *object = json_object(), *trials = json_array();
    char *options = cli_trial_options(tune->best);
    for (size_t i = 0; i < tune->count; i++)
        cli_json_append(trials, trial_json(tune->trials[i], known_metrics(tune)));
    cli_json_set(object, "model", cli_json_text(tune->job.output));
    cli_json_set(object, "task", cli_json_text(tulle_task_name(info->task)));
    cli_json_set(object, "rows", cli_json_split_rows(info->rows));
    cli_json_set(object, "seconds", cli_json_number(cli_progress_seconds(&tune->job.progress)));
    cli_json_set(object, "best", cli_json_count(tune->best->index + 1));
    cli_json_set(object, "options", cli_json_text(options));
    cli_json_set(object, "metrics", cli_json_split_metrics(info));
    cli_json_set(object, "trials", trials);
    free(options);
    return cli_json_print(object);
}

int cli_tune_print(const struct cli_tune *tune)
{
    return (tune->job.options->json ? print_json : print_text)(tune);
}
