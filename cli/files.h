/* files.h - questions about the files on the command line, before anything is read or written. */
#ifndef TULLE_CLI_FILES_H
#define TULLE_CLI_FILES_H

/* "data/houses.csv.gz" -> "houses.tulle", in the current folder; to be freed. */
char *cli_model_path(const char *data);

/* Whether both paths are the same regular file, or would be, so that writing one would destroy the
 * other. */
int cli_same_path(const char *a, const char *b);

/* Where the checkpoint before this one is kept: beside the file itself, if it is a link; to be
 * freed. */
char *cli_previous_path(const char *checkpoint);

/* Whether there is something of that name that is no regular file: a folder, a pipe, a device. */
int cli_is_special(const char *path);

/* How the log calls DATA. */
const char *cli_source_name(const char *path);

#endif
