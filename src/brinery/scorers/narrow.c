/* Rows of a few numbers through shifts and factors to a narrow linear model, each row at once.
 *
 * What `rows.py` does to a row in Python, operation by operation and in its order; `kernel.py` has
 * checked the sizes. The build forbids fused multiply-adds.
 */

#include <math.h>
#include <stdint.h>

#include "kernel.h"

/* From this on, neighbouring whole numbers are one float64. */
#define EXACT 9007199254740992.0
/* How near two sums may come before the arrays decide which is the larger. */
#define TIED 1e-9

enum { MINUS, DIVIDED, TIMES, PLUS };
enum { SUMS, EXPONENTIALS, LABELS, LOGISTIC, SOFTMAX };

/* A narrow model.
 *
 * numbers     (n_steps, width)  of a step, for each column
 * operations  (n_steps,)        what a step does with them
 * weights     (n_sums, width)
 * intercepts  (n_sums,)
 * largest     what no number may exceed that is weighted
 * meaning     of the sums
 */
typedef struct {
  const double *numbers;
  const int32_t *operations;
  const double *weights, *intercepts;
  double largest;
  int64_t n_steps, width, n_sums, meaning;
} narrow_model;

static int within(const double *row, int64_t width, double largest) {
  for (int64_t j = 0; j < width; j++)
    if (!(fabs(row[j]) <= largest)) return 0;
  return 1;
}

static void stepped(const narrow_model *model, double *row) {
  for (int64_t s = 0; s < model->n_steps; s++) {
    const double *numbers = model->numbers + s * model->width;
    switch (model->operations[s]) {
      case MINUS: for (int64_t j = 0; j < model->width; j++) row[j] -= numbers[j]; break;
      case DIVIDED: for (int64_t j = 0; j < model->width; j++) row[j] /= numbers[j]; break;
      case TIMES: for (int64_t j = 0; j < model->width; j++) row[j] *= numbers[j]; break;
      default: for (int64_t j = 0; j < model->width; j++) row[j] += numbers[j];
    }
  }
}

/* The place of the largest; -1 where another is as good as tied with it. */
static int64_t best_of(const double *sums, int64_t count) {
  int64_t best = 0;
  for (int64_t k = 1; k < count; k++)
    if (sums[k] > sums[best]) best = k;
  for (int64_t k = 0; k < count; k++)
    if (k != best && sums[best] - sums[k] < TIED) return -1;
  return best;
}

/* The probabilities that sums mean, of two classes where there is one sum. */
static void chances_of(const double *sums, int64_t n_sums, int softmax, double *chances) {
  int64_t count = n_sums > 1 ? n_sums : 2;
  double total = 0.0;
  if (softmax) {
    const double both[2] = {-sums[0], sums[0]};
    const double *all = n_sums > 1 ? sums : both;
    double best = all[0];
    for (int64_t k = 1; k < count; k++)
      if (all[k] > best) best = all[k];
    for (int64_t k = 0; k < count; k++) chances[k] = exp(all[k] - best);
  } else {
    for (int64_t k = 0; k < n_sums; k++) chances[k] = 1.0 / (1.0 + exp(-sums[k]));
    if (n_sums == 1) {
      chances[1] = chances[0];
      chances[0] = 1 - chances[1];
      return;
    }
  }
  for (int64_t k = 0; k < count; k++) total += chances[k];
  for (int64_t k = 0; k < count; k++) chances[k] /= total;
}

/* Answer some rows. Returns 0, or 1 where one of them is for the arrays: a number that is missing
 * or too large, or classes that are as good as tied.
 *
 * table   (n_rows, width)
 * labels  (n_rows,)           of a classifier
 * values  (n_rows, n_values)  probabilities where it has them; of a regressor, what it predicts
 */
EXPORT int32_t narrow(const narrow_model *model, const double *table, int64_t n_rows,
                      int64_t *labels, double *values) {
  const int64_t width = model->width, n_sums = model->n_sums;
  const int64_t n_values = model->meaning <= EXPONENTIALS || n_sums > 1 ? n_sums : 2;
  double row[NARROW], sums[NARROW + 1];
  for (int64_t i = 0; i < n_rows; i++, table += width) {
    for (int64_t j = 0; j < width; j++) {
      if (!(fabs(table[j]) < EXACT)) return 1;
      row[j] = table[j];
    }
    stepped(model, row);
    if (!within(row, width, model->largest)) return 1;
    sums[0] = 0.0; /* What the one sum of two classes is compared with. */
    for (int64_t k = 0; k < n_sums; k++) {
      const double *weights = model->weights + k * width;
      double sum = 0.0;
      for (int64_t j = 0; j < width; j++) sum += row[j] * weights[j];
      sum += model->intercepts[k];
      if (isnan(sum)) return 1;
      sums[k + 1] = sum;
    }
    if (model->meaning <= EXPONENTIALS) {
      for (int64_t k = 0; k < n_sums; k++)
        values[i * n_sums + k] = model->meaning == SUMS ? sums[k + 1] : exp(sums[k + 1]);
      continue;
    }
    labels[i] = n_sums > 1 ? best_of(sums + 1, n_sums) : best_of(sums, 2);
    if (labels[i] < 0) return 1;
    if (model->meaning != LABELS)
      chances_of(sums + 1, n_sums, model->meaning == SOFTMAX, values + i * n_values);
  }
  return 0;
}
