/* What the sources of the kernel share. */

#ifndef BRINERY_KERNEL_H
#define BRINERY_KERNEL_H

#include <stdint.h>

#if defined(_WIN32)
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif

/* Of a node's `feature`: a leaf is negative; two bits are flags, the rest is the column. */
#define COLUMN 0x1fffffff
#define CATEGORIES 0x20000000
#define MISSING_LEFT 0x40000000

/* The most weights, and so columns or sums, of a narrow model. */
#define NARROW 64

/* Trees that are walked together.
 *
 * nodes       (n_nodes,)      the children of an inner node lie side by side at `next`;
 *                             of a leaf, `next` is its row of `leaves`
 * roots       (n_trees,)      each tree's first node
 * outputs     (n_trees,)      the first column of `sums` that a tree adds to
 * depths      (n_trees,)      how deep a tree is whose leaves are about equally deep; else 0
 * leaves      (n_leaves, width)
 * sets        words of categories; a node that asks for them has the place of its set for threshold
 * categories  whether there is such a node
 */
typedef struct {
  const void *nodes;
  const int32_t *roots, *outputs, *depths;
  const void *leaves;
  const uint32_t *sets;
  int64_t n_trees, width, categories;
} forest;

/* Tell of some rows whether each goes right at an inner node.
 *
 * x      (n_rows, n_features)
 * rows   (count,), which
 * right  (count,)
 */
#define TURNS(NAME)                                                                            \
  void NAME(const void *nodes, int32_t at, const uint32_t *sets, const void *x,                \
            int64_t n_features, const int32_t *rows, int64_t count, uint8_t *right)
typedef TURNS(turns);
TURNS(trees_float32_turns);
TURNS(trees_float64_turns);

#endif
