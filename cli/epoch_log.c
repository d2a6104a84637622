/* epoch_log.c - the file of --log: a line of JSON for each epoch, there as soon as the epoch ends.
 */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report.h"
#include "train.h"

static int has_prefix(const char *path, const char *prefix)
{
    return strncmp(path, prefix, strlen(prefix)) == 0;
}

int cli_epoch_log_open(struct cli_epoch_log *log, const char *path)
{
    struct stat before;
    int is_there = stat(path, &before) == 0;
    log->path = path;
    log->is_new = !is_there;
    log->is_stream = is_there && (!S_ISREG(before.st_mode) || has_prefix(path, "/dev/std") ||
                                  has_prefix(path, "/dev/fd/"));
    log->file = fopen(path, log->is_stream ? "a" : "a+");
    return log->file ? 0 : cli_failure("%s: cannot write: %s", path, strerror(errno));
}

void cli_epoch_log_begin(struct cli_epoch_log *log, size_t epoch)
{
    size_t lines = 0;
    off_t at = 0, kept = 0;
    if (!log->file || log->is_stream)
        return;
    rewind(log->file);
    for (int byte; lines + 1 < epoch && (byte = getc(log->file)) != EOF;) {
        at++;
        if (byte == '\n') {
            lines++;
            kept = at;
        }
    }
    if (ftruncate(fileno(log->file), kept) != 0)
        log->problem = errno;
    fseek(log->file, 0, SEEK_END); /* between reading and writing */
}

void cli_epoch_log_add(struct cli_epoch_log *log, const struct tulle_progress *now, double seconds)
{
    if (!log->file || log->problem)
        return;
    json_t *object = json_object();
    cli_json_set(object, "epoch", cli_json_count(now->epoch));
    cli_json_set(object, "train_loss", cli_json_number(now->train_loss));
    cli_json_set(object, "valid_loss", cli_json_number(now->valid_loss));
    cli_json_set(object, "learning_rate", cli_json_number(now->learning_rate));
    cli_json_set(object, "seconds", cli_json_number(seconds - log->written));
    char *line = cli_json_line(object);
    fprintf(log->file, "%s\n", line);
    if (fflush(log->file) != 0)
        log->problem = errno;
    free(line);
    log->written = seconds;
    log->is_new = 0;
}

int cli_epoch_log_close(struct cli_epoch_log *log)
{
    if (!log->file)
        return 0;
    if (fclose(log->file) != 0 && !log->problem)
        log->problem = errno;
    log->file = NULL;
    if (log->is_new)
        unlink(log->path);
    return log->problem ? cli_failure("%s: cannot write: %s", log->path, strerror(log->problem))
                        : 0;
}
