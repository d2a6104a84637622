/* evaluate.h - measuring a model on chosen rows of a table. */
#ifndef TULLE_EVALUATE_H
#define TULLE_EVALUATE_H

#include "../base/status.h"

/* As tulle_evaluate, on rows order[0..count-1]; count >= 1. */
enum tulle_status tulle_evaluate_rows(const struct tulle_model *model,
                                      const struct tulle_dataset *dataset, const size_t *order,
                                      size_t count, struct tulle_metrics *metrics,
                                      struct tulle_error *error);

#endif
