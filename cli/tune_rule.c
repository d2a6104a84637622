/*
 * tune_rule.c - which trials of `tulle tune` are stopped early.
 *
 * At the end of 1/15, 1/5 and 7/15 of its epochs a trial is stopped if, of the trials before it
 * that got that far without being stopped, more than half had had a lower valid loss by then, and
 * there are three of them at least: the median rule of Golovin et al. (Vizier, 2017), applied to
 * ever fewer as in successive halving (Jamieson and Talwalkar, 2016). There schedule coslog4 has
 * its learning rate at 0, and losses can be compared.
 *
 * "Before" is by number, not by time, so that it does not matter how many trials run at once. A
 * trial goes on until the rule can be applied: where those before it are slower it may run past
 * the point, or even to its end, for nothing; it is then stopped in retrospect.
 */
#include <math.h>

#include "tune.h"

enum { FEWEST = 3 };

size_t cli_rung_epoch(size_t rung, size_t epochs)
{
    size_t fifteenths = ((size_t)2 << rung) - 1; /* 1, 3, 7 */
    size_t epoch = (epochs * fifteenths + 14) / 15;
    int is_one_before = rung > 0 && cli_rung_epoch(rung - 1, epochs) == epoch;
    return is_one_before || epoch >= epochs ? 0 : epoch;
}

static int is_poor(const struct cli_tune *tune, const struct cli_trial *trial, size_t rung)
{
    size_t others = 0, better = 0;
    for (size_t i = 0; i < trial->index; i++) {
        const struct cli_trial *other = tune->trials[i];
        if (other->rung < rung || isnan(other->losses[rung]))
            continue;
        others++;
        better += other->losses[rung] < trial->losses[rung];
    }
    return others >= FEWEST && 2 * better > others;
}

void cli_rule_decide(struct cli_tune *tune)
{
    for (size_t rung = 0; rung < CLI_RUNGS; rung++) {
        size_t known = rung ? tune->decided[rung - 1] : tune->count;
        for (; tune->decided[rung] < known; tune->decided[rung]++) {
            struct cli_trial *trial = tune->trials[tune->decided[rung]];
            if (trial->rung < rung)
                continue;
            if (trial->reached <= rung)
                break;
            if (!isnan(trial->losses[rung]) && is_poor(tune, trial, rung)) {
                trial->rung = rung;
                atomic_store(&trial->is_stopped, 1);
            }
        }
    }
}

int cli_rule_is_settled(const struct cli_tune *tune, const struct cli_trial *trial)
{
    return trial->outcome != CLI_RUNNING &&
           (trial->rung < CLI_RUNGS || trial->index < tune->decided[CLI_RUNGS - 1]);
}
