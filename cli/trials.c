/* trials.c - the threads behind cv and tune. */
#include "trials.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "peak.h"
#include "report.h"

struct queue {
    pthread_mutex_t lock;
    size_t next, count;
    int (*work)(size_t index, void *user);
    void *user;
};

/* Whether there is another one to begin. */
static int take(struct queue *queue, size_t *index)
{
    pthread_mutex_lock(&queue->lock);
    int is_there = queue->next < queue->count;
    *index = queue->next;
    queue->next += is_there;
    pthread_mutex_unlock(&queue->lock);
    return is_there;
}

static void *serve(void *argument)
{
    struct queue *queue = argument;
    size_t index;
    while (take(queue, &index)) {
        if (queue->work(index, queue->user) == 0)
            continue;
        pthread_mutex_lock(&queue->lock);
        queue->count = queue->next;
        pthread_mutex_unlock(&queue->lock);
    }
    return NULL;
}

void cli_trials_run(size_t count, unsigned threads, int (*work)(size_t index, void *user),
                    void *user)
{
    struct queue queue = {PTHREAD_MUTEX_INITIALIZER, 0, count, work, user};
    pthread_t *others = cli_allocate(threads, sizeof *others);
    size_t made = 0;
    /* With fewer threads than asked for it takes longer, no more. */
    while (made + 1 < threads && pthread_create(&others[made], NULL, serve, &queue) == 0)
        made++;
    serve(&queue);
    for (size_t i = 0; i < made; i++)
        pthread_join(others[i], NULL);
    free(others);
}

void cli_trials_plan(const struct cli_options *options, size_t count, unsigned *at_once,
                     unsigned *threads_each)
{
    unsigned cpus = options->train.threads ? options->train.threads : cli_peak_cpus();
    *at_once = count < cpus ? (unsigned)count : cpus;
    *threads_each = cpus / *at_once;
}

int cli_trials_fail(const struct cli_training *job, const char *name, size_t number,
                    const struct tulle_error *error)
{
    struct tulle_error named = *error;
    /* Folds and trials share what is wrong with the data or the options. */
    if (error->code == TULLE_ERROR_DIVERGED)
        snprintf(named.message, sizeof named.message, "%s %zu: %.400s (--lr)", name, number,
                 error->message);
    if (error->code == TULLE_ERROR_MEMORY)
        snprintf(named.message, sizeof named.message,
                 "%.400s; try fewer --threads, or a smaller --hidden or --batch", error->message);
    if (error->code == TULLE_ERROR_DATA && !*error->file)
        snprintf(named.file, sizeof named.file, "%s", job->options->arguments[0]);
    return cli_fail(job->options, &named);
}
