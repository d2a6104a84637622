/* session.h - predicting rows that are not a dense matrix: columns picked from a wider table. */
#ifndef TULLE_SESSION_H
#define TULLE_SESSION_H

#include "../net/rows.h"

/* Samples 0..count-1 of `rows`, its scaling set by the call, to rows 0..count-1 of out. The columns
 * of both must fit the model. */
void tulle_session_predict_rows(struct tulle_session *session, struct rows rows, size_t count,
                                struct tulle_matrix_out out);

#endif
