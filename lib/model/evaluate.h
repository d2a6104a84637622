/* evaluate.h - measuring a model on chosen rows of a table. */
#ifndef TULLE_EVALUATE_H
#define TULLE_EVALUATE_H

#include "../base/status.h"

/*
 * As tulle_evaluate, on rows order[0..count-1], to the arrays that `found` points to: its metrics,
 * and unless they are NULL the confusion matrix (of `classes`) and out_of_range. Where no row's
 * target is known a target's metrics have 0 rows, and where weights are all 0 the values are NaN.
 */
enum tulle_status tulle_evaluate_rows(const struct tulle_model *model,
                                      const struct tulle_dataset *dataset, const size_t *order,
                                      size_t count, const char *weight_column,
                                      const struct tulle_evaluation *found,
                                      struct tulle_error *error);

#endif
