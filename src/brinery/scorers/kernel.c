/* What numpy has no word for: a walk through many trees, and a sparse table times a dense one.
 *
 * Every index was checked by the Python that calls (`trees.py`, `data.py`); nothing is checked
 * here. Sums are made in the order of the trees, in the precision of their library; the build
 * forbids fused multiply-adds, so that each operation rounds as theirs does.
 */

#include <math.h>
#include <stdint.h>

#include "kernel.h"

/* How many walks go side by side, so that one does not wait for another's memory. */
#define LANES 16
/* How many rows meet one tree before the next tree is fetched. */
#define BLOCK 4096
/* Up to how many rows each goes through all trees by itself. */
#define FEW 8

#if defined(__GNUC__)
#define RARELY(condition) __builtin_expect(!!(condition), 0)
#define ALWAYS_INLINE inline __attribute__((always_inline))
#else
#define RARELY(condition) (condition)
#define ALWAYS_INLINE inline
#endif

/* A set of categories: the number of its 32-bit words, then the words. */
static inline int holds(const uint32_t *set, double value) {
  if (!(value >= 0.0 && value < 32.0 * set[0])) return 0;
  uint32_t category = (uint32_t)value;
  return (set[1 + category / 32] >> (category % 32)) & 1;
}

/* A walk for values of type X, with leaves of type A that are added up in type A.
 *
 * x           (n_rows, n_features)
 * sums        (n_rows, n_outputs)
 */
#define DEFINE(NAME, X, A)                                                                        \
  typedef struct {                                                                                \
    X threshold;                                                                                  \
    int32_t feature;                                                                              \
    int32_t next;                                                                                 \
  } NAME##_node;                                                                                  \
                                                                                                  \
  static inline int32_t NAME##_child(const NAME##_node *node, const X *row, const uint32_t *sets) {\
    int32_t feature = node->feature;                                                              \
    X value = row[feature & COLUMN];                                                              \
    int right = value > node->threshold;                                                          \
    if (RARELY(value != value))                                                                   \
      right = (feature & MISSING_LEFT) == 0;                                                      \
    else if (RARELY(feature & CATEGORIES))                                                        \
      right = !holds(sets + (int64_t)node->threshold, (double)value);                             \
    return node->next + right;                                                                    \
  }                                                                                               \
                                                                                                  \
  static inline void NAME##_add(const NAME##_node *leaf, const A *leaves, int64_t width, A *sums) {\
    const A *values = leaves + (int64_t)leaf->next * width;                                       \
    for (int64_t k = 0; k < width; k++) sums[k] += values[k];                                     \
  }                                                                                               \
                                                                                                  \
  /* One row through all trees, some at a time. */                                                \
  static void NAME##_row(const NAME##_node *nodes, const int32_t *roots, const int32_t *outputs,  \
                         int64_t n_trees, const A *leaves, int64_t width, const uint32_t *sets,   \
                         const X *row, A *sums) {                                                 \
    int32_t at[LANES];                                                                            \
    for (int64_t t = 0; t < n_trees; t += LANES) {                                                \
      int count = n_trees - t < LANES ? (int)(n_trees - t) : LANES;                               \
      for (int i = 0; i < count; i++) at[i] = roots[t + i];                                       \
      int live;                                                                                   \
      do {                                                                                        \
        live = 0;                                                                                 \
        for (int i = 0; i < count; i++) {                                                         \
          const NAME##_node *node = nodes + at[i];                                                \
          if (node->feature >= 0) {                                                               \
            at[i] = NAME##_child(node, row, sets);                                                \
            live = 1;                                                                             \
          }                                                                                       \
        }                                                                                         \
      } while (live);                                                                             \
      for (int i = 0; i < count; i++)                                                             \
        NAME##_add(nodes + at[i], leaves, width, sums + outputs[t + i]);                          \
    }                                                                                             \
  }                                                                                               \
                                                                                                  \
  /* All rows through one tree, some at a time; where one has ended the next begins. */           \
  static void NAME##_tree(const NAME##_node *nodes, int32_t root, const A *leaves, int64_t width, \
                          const uint32_t *sets, const X *x, int64_t n_rows, int64_t n_features,   \
                          A *sums, int64_t n_outputs) {                                           \
    int32_t at[LANES];                                                                            \
    int64_t rows[LANES], next = 0;                                                                \
    const X *values[LANES];                                                                       \
    int live = 0;                                                                                 \
    for (; live < LANES && next < n_rows; live++, next++) {                                       \
      at[live] = root;                                                                            \
      rows[live] = next;                                                                          \
      values[live] = x + next * n_features;                                                       \
    }                                                                                             \
    while (live > 0)                                                                              \
      for (int i = 0; i < live; i++) {                                                            \
        const NAME##_node *node = nodes + at[i];                                                  \
        if (node->feature >= 0) {                                                                 \
          at[i] = NAME##_child(node, values[i], sets);                                            \
          continue;                                                                               \
        }                                                                                         \
        NAME##_add(node, leaves, width, sums + rows[i] * n_outputs);                              \
        if (next < n_rows) {                                                                      \
          at[i] = root;                                                                           \
          rows[i] = next;                                                                         \
          values[i] = x + next * n_features;                                                      \
          next++;                                                                                 \
        } else {                                                                                  \
          live--;                                                                                 \
          at[i] = at[live];                                                                       \
          rows[i] = rows[live];                                                                   \
          values[i] = values[live];                                                               \
          i--;                                                                                    \
        }                                                                                         \
      }                                                                                           \
  }                                                                                               \
                                                                                                  \
  /* The same for a tree whose leaves are about equally deep: each row takes as many steps as the \
   * deepest leaf has, and one that has ended stays where it is. No branch has to be foreseen.    \
   * `plain` is a constant: no value is missing, and no node asks for a category. */              \
  static ALWAYS_INLINE void NAME##_even(const NAME##_node *nodes, int32_t root, int32_t depth,    \
                                        const A *leaves, int64_t width, const uint32_t *sets,     \
                                        const X *x, int64_t n_rows, int64_t n_features, A *sums,  \
                                        int64_t n_outputs, int plain) {                           \
    int32_t at[LANES];                                                                            \
    int64_t r = 0;                                                                                \
    for (; r + LANES <= n_rows; r += LANES) {                                                     \
      const X *row = x + r * n_features;                                                          \
      for (int i = 0; i < LANES; i++) at[i] = root;                                               \
      for (int32_t d = 0; d < depth; d++)                                                         \
        for (int i = 0; i < LANES; i++) {                                                         \
          const NAME##_node *node = nodes + at[i];                                                \
          int32_t feature = node->feature;                                                        \
          int inner = feature >= 0;                                                               \
          X value = row[i * n_features + (inner ? feature & COLUMN : 0)];                         \
          int right = value > node->threshold;                                                    \
          if (!plain) {                                                                           \
            right |= (value != value) & ((feature & MISSING_LEFT) == 0);                          \
            if (RARELY(inner && (feature & CATEGORIES) && value == value))                        \
              right = !holds(sets + (int64_t)node->threshold, (double)value);                     \
          }                                                                                       \
          at[i] = inner ? node->next + right : at[i];                                             \
        }                                                                                         \
      for (int i = 0; i < LANES; i++)                                                             \
        NAME##_add(nodes + at[i], leaves, width, sums + (r + i) * n_outputs);                     \
    }                                                                                             \
    NAME##_tree(nodes, root, leaves, width, sets, x + r * n_features, n_rows - r, n_features,     \
                sums + r * n_outputs, n_outputs);                                                 \
  }                                                                                               \
  EXPORT void NAME(const forest *trees, const X *x, int64_t n_rows, int64_t n_features, A *sums,  \
                   int64_t n_outputs) {                                                           \
    const NAME##_node *nodes = trees->nodes;                                                      \
    const int32_t *roots = trees->roots, *outputs = trees->outputs, *depths = trees->depths;      \
    const A *leaves = trees->leaves;                                                              \
    const uint32_t *sets = trees->sets;                                                           \
    int64_t n_trees = trees->n_trees, width = trees->width;                                       \
    if (n_rows < FEW) {                                                                           \
      for (int64_t r = 0; r < n_rows; r++)                                                        \
        NAME##_row(nodes, roots, outputs, n_trees, leaves, width, sets, x + r * n_features,       \
                   sums + r * n_outputs);                                                         \
      return;                                                                                     \
    }                                                                                             \
    for (int64_t b = 0; b < n_rows; b += BLOCK) {                                                 \
      int64_t count = n_rows - b < BLOCK ? n_rows - b : BLOCK;                                    \
      const X *block = x + b * n_features;                                                        \
      int plain = !trees->categories;                                                             \
      for (int64_t i = 0; i < count * n_features; i++) plain &= block[i] == block[i];             \
      for (int64_t t = 0; t < n_trees; t++) {                                                     \
        A *first = sums + b * n_outputs + outputs[t];                                             \
        if (!depths[t])                                                                           \
          NAME##_tree(nodes, roots[t], leaves, width, sets, block, count, n_features, first,      \
                      n_outputs);                                                                 \
        else if (plain)                                                                           \
          NAME##_even(nodes, roots[t], depths[t], leaves, width, sets, block, count, n_features,  \
                      first, n_outputs, 1);                                                       \
        else                                                                                      \
          NAME##_even(nodes, roots[t], depths[t], leaves, width, sets, block, count, n_features,  \
                      first, n_outputs, 0);                                                       \
      }                                                                                           \
    }                                                                                             \
  }

/* scikit-learn's trees: values are float32, so a threshold may be rounded down to float32. */
DEFINE(trees_float32, float, double)
/* LightGBM's and the histogram ones of scikit-learn. */
DEFINE(trees_float64, double, double)
/* XGBoost's: it adds up in float32. */
DEFINE(trees_xgboost, float, float)

/* For whoever goes down a tree with several rows at once. */
#define DEFINE_TURNS(NAME, X)                                                                     \
  TURNS(NAME##_turns) {                                                                           \
    const NAME##_node *node = (const NAME##_node *)nodes + at;                                    \
    for (int64_t i = 0; i < count; i++)                                                           \
      right[i] = NAME##_child(node, (const X *)x + rows[i] * n_features, sets) != node->next;     \
  }

DEFINE_TURNS(trees_float32, float)
DEFINE_TURNS(trees_float64, double)

/* A sparse table times a dense one: each row's values in their order, as scipy adds them.
 *
 * starts (n_rows + 1,), columns and values (n_values,), dense (n_columns, width),
 * sums (n_rows, width)
 */
EXPORT void sparse_dot(const int64_t *starts, const int64_t *columns, const double *values,
                       int64_t n_rows, const double *dense, int64_t width, double *sums) {
  for (int64_t r = 0; r < n_rows; r++)
    for (int64_t i = starts[r]; i < starts[r + 1]; i++) {
      const double *row = dense + columns[i] * width;
      for (int64_t k = 0; k < width; k++) sums[r * width + k] += values[i] * row[k];
    }
}

/* 1 / (1 + e^-x) as XGBoost has it, by the same C library. */
EXPORT void sigmoid_float32(float *x, int64_t count) {
  for (int64_t i = 0; i < count; i++) x[i] = 1.0f / (expf(fminf(-x[i], 88.7f)) + 1.0f + 1e-16f);
}

/* e^x, by the same C library too. */
EXPORT void exponents_float32(float *x, int64_t count) {
  for (int64_t i = 0; i < count; i++) x[i] = expf(x[i]);
}

/* The softmax of each row as XGBoost has it. */
EXPORT void softmax_float32(float *x, int64_t n_rows, int64_t width) {
  for (int64_t r = 0; r < n_rows; r++) {
    float *row = x + r * width;
    float largest = row[0];
    for (int64_t k = 1; k < width; k++) largest = fmaxf(row[k], largest);
    double sum = 0.0;
    for (int64_t k = 0; k < width; k++) {
      row[k] = expf(row[k] - largest);
      sum += row[k];
    }
    for (int64_t k = 0; k < width; k++) row[k] /= (float)sum;
  }
}

/* The squared distance of each row from each point; `points` lie column by column, so that the
 * sums of neighbouring points are made at once, each in the order of the columns.
 *
 * x (n_rows, width), points (width, n_points), out (n_rows, n_points)
 */
#define POINTS 1024
EXPORT __attribute__((optimize("O3"))) void squared_distances(
    const double *restrict x, int64_t n_rows, int64_t width, const double *restrict points,
    int64_t n_points, double *restrict out) {
  for (int64_t b = 0; b < n_points; b += POINTS) {
    int64_t count = n_points - b < POINTS ? n_points - b : POINTS;
    for (int64_t r = 0; r < n_rows; r++) {
      double *restrict sums = out + r * n_points + b;
      for (int64_t j = 0; j < count; j++) sums[j] = 0.0;
      for (int64_t k = 0; k < width; k++) {
        double value = x[r * width + k];
        const double *restrict column = points + k * n_points + b;
        for (int64_t j = 0; j < count; j++) {
          double away = value - column[j];
          sums[j] += away * away;
        }
      }
    }
  }
}

/* The probabilities of k classes of those of each pair of them, as libsvm couples them.
 *
 * pairs   (n_rows, k, k), of i and j how likely i is
 * scratch (k + 1, k)
 * out     (n_rows, k)
 *
 * Source: Wu, Lin and Weng 2004, the second method.
 */
EXPORT void couple(const double *pairs, int64_t n_rows, int64_t k, double *scratch, double *out) {
  double *q = scratch, *qp = scratch + k * k, eps = 0.005 / k;
  int64_t most = k > 100 ? k : 100;
  for (int64_t row = 0; row < n_rows; row++) {
    const double *r = pairs + row * k * k;
    double *p = out + row * k;
    for (int64_t t = 0; t < k; t++) {
      p[t] = 1.0 / k;
      q[t * k + t] = 0.0;
      for (int64_t j = 0; j < k; j++) {
        if (j == t) continue;
        q[t * k + t] += r[j * k + t] * r[j * k + t];
        q[t * k + j] = j < t ? q[j * k + t] : -r[j * k + t] * r[t * k + j];
      }
    }
    for (int64_t round = 0; round < most; round++) {
      double pqp = 0.0, largest = 0.0;
      for (int64_t t = 0; t < k; t++) {
        qp[t] = 0.0;
        for (int64_t j = 0; j < k; j++) qp[t] += q[t * k + j] * p[j];
        pqp += p[t] * qp[t];
      }
      for (int64_t t = 0; t < k; t++) {
        double error = fabs(qp[t] - pqp);
        if (error > largest) largest = error;
      }
      if (largest < eps) break;
      for (int64_t t = 0; t < k; t++) {
        double diff = (-qp[t] + pqp) / q[t * k + t];
        p[t] += diff;
        pqp = (pqp + diff * (diff * q[t * k + t] + 2 * qp[t])) / (1 + diff) / (1 + diff);
        for (int64_t j = 0; j < k; j++) {
          qp[j] = (qp[j] + diff * q[t * k + j]) / (1 + diff);
          p[j] /= (1 + diff);
        }
      }
    }
  }
}

/* The 32-bit MurmurHash3 of each token, with the seed 0.
 *
 * bytes of all tokens, one behind the other; starts (n_tokens + 1,); out (n_tokens,)
 */
static inline uint32_t turned(uint32_t x, int by) { return (x << by) | (x >> (32 - by)); }

EXPORT void murmur32(const uint8_t *bytes, const int64_t *starts, int64_t n_tokens, int32_t *out) {
  for (int64_t i = 0; i < n_tokens; i++) {
    const uint8_t *at = bytes + starts[i];
    int64_t length = starts[i + 1] - starts[i];
    uint32_t hash = 0, word;
    for (; length - (at - bytes - starts[i]) >= 4; at += 4) {
      word = at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
      hash ^= turned(word * 0xcc9e2d51u, 15) * 0x1b873593u;
      hash = turned(hash, 13) * 5 + 0xe6546b64u;
    }
    int64_t rest = length & 3;
    word = 0;
    if (rest == 3) word ^= (uint32_t)at[2] << 16;
    if (rest >= 2) word ^= (uint32_t)at[1] << 8;
    if (rest >= 1) hash ^= turned((word ^ at[0]) * 0xcc9e2d51u, 15) * 0x1b873593u;
    hash ^= (uint32_t)length;
    hash = (hash ^ hash >> 16) * 0x85ebca6bu;
    hash = (hash ^ hash >> 13) * 0xc2b2ae35u;
    out[i] = (int32_t)(hash ^ hash >> 16);
  }
}

/* The logarithm of each value, and e^x - 1, as C has them: numpy's may end in another bit. */
EXPORT void logarithms(double *x, int64_t count) {
  for (int64_t i = 0; i < count; i++) x[i] = log(x[i]);
}

EXPORT void exponents(double *x, int64_t count) {
  for (int64_t i = 0; i < count; i++) x[i] = exp(x[i]);
}

EXPORT void expm1_each(double *x, int64_t count) {
  for (int64_t i = 0; i < count; i++) x[i] = expm1(x[i]);
}

#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__)
#define WIDE __attribute__((optimize("O3"), target_clones("avx2", "default")))
#else
#define WIDE
#endif

/* Many rows through trees of which all nodes of a level ask the same: each row's leaf has a bit for
 * each answer, the last one lowest.
 *
 * columns, borders, right  of each level; `right` is where a missing value is greater
 * starts                   (n_trees + 1,), each tree's first level
 * firsts                   (n_trees,), each tree's first row of `leaves`
 * x                        (n_features, n_rows)
 * sums                     (n_rows, width)
 */
#define ROWS 256
EXPORT WIDE void symmetric(const int32_t *columns, const float *borders, const uint8_t *right,
                           const int64_t *starts, const int64_t *firsts, int64_t n_trees,
                           const double *leaves, int64_t width, const float *x, int64_t n_rows,
                           double *sums) {
  int32_t at[ROWS];
  for (int64_t b = 0; b < n_rows; b += ROWS) {
    int64_t count = n_rows - b < ROWS ? n_rows - b : ROWS;
    for (int64_t t = 0; t < n_trees; t++) {
      for (int64_t r = 0; r < count; r++) at[r] = 0;
      for (int64_t s = starts[t]; s < starts[t + 1]; s++) {
        const float *values = x + columns[s] * n_rows + b;
        float border = borders[s];
        if (right[s])
          for (int64_t r = 0; r < count; r++) at[r] = 2 * at[r] + !(values[r] <= border);
        else
          for (int64_t r = 0; r < count; r++) at[r] = 2 * at[r] + (values[r] > border);
      }
      const double *first = leaves + firsts[t] * width;
      double *row = sums + b * width;
      if (width == 1)
        for (int64_t r = 0; r < count; r++) row[r] += first[at[r]];
      else
        for (int64_t r = 0; r < count; r++)
          for (int64_t k = 0; k < width; k++) row[r * width + k] += first[at[r] * width + k];
    }
  }
}
