/* The Shapley values of trees: how much each input column moved the answer for a row, compared with
 * the rows of a background.
 *
 * Of a row x and a background row z a coalition of columns has the values of x, the other columns
 * those of z. A leaf is reached by the coalitions that hold every column on whose questions z turns
 * off the leaf's path, and none on whose questions x does. Where x and z fail the same column no
 * coalition reaches it; else the values of such a game are known, and depend on the two sets alone.
 * So a tree is gone through once for many rows of both kinds: each row keeps the set of columns
 * that it failed, and goes as far as there is a row of the other kind that it can be mixed with.
 *
 * Source: Lundberg et al. 2020 (interventional TreeSHAP); Laberge and Pequignot 2022 (of columns
 * that are several features); Nadel and Wettenstein 2025 (rows with equal patterns share a sum).
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kernel.h"

#define NO_MEMORY 1
#define TOO_MANY_COLUMNS 2

/* How many columns may be asked for on one path: a bit for each. */
#define SLOTS 64

/* Rows of one kind.
 *
 * order    first those that are still of use, `count` of them
 * failed   of each row, the slots of the columns that turned off the path
 * witness  of each row, one of the other kind that it can be mixed with
 * log      rows that failed something on the way here, in turn: each at most once for each slot
 * place    of each row, its place among the distinct sets
 * sets     the distinct sets that rows at a leaf failed: how `often` each is there, and its size
 */
typedef struct {
  const void *values;
  int64_t n_rows, count, logged, distinct;
  int32_t *order, *witness, *log, *place, *often, *sizes;
  uint64_t *failed, *sets;
  uint8_t *right;
} rows;

/* What is to be undone when a node is left. */
typedef struct {
  int32_t node, next, side, slot, fresh;
  int64_t count[2], logged[2];
} frame;

/* A table from sets to places, emptied by another stamp. */
typedef struct {
  uint64_t *keys;
  int32_t *places;
  uint32_t *stamps;
  uint32_t stamp;
  uint64_t mask;
} table;

/* All that a search knows.
 *
 * groups    (n_features,), the input column that each feature is made of
 * slot_of   (n_groups,), the bit that an input column has on this path; -1 for none
 * group_of  (SLOTS,), the other way round
 * shares    of each distinct set of the explained rows, what a leaf adds for each slot
 */
typedef struct {
  const char *nodes;
  int64_t node_size, n_features, width, n_groups, n_outputs;
  turns *turns;
  const uint32_t *sets;
  const double *leaves, *weights;
  const int32_t *groups;
  int32_t *slot_of;
  int32_t group_of[SLOTS];
  uint64_t used;
  double *shares;
  frame *frames;
  table known;
  rows explained, background;
} search;

/* The last two of a node's figures. */
#define FEATURE 2
#define NEXT 1
static inline int32_t part_of(const search *on, int32_t at, int which) {
  return ((const int32_t *)(on->nodes + (at + (int64_t)1) * on->node_size))[-which];
}

/* Make each row fail that does not go to one side of a node. */
static void turn_off(rows *some, int side, uint64_t bit) {
  for (int64_t i = 0; i < some->count; i++) {
    int32_t row = some->order[i];
    if (some->right[i] == side || (some->failed[row] & bit)) continue;
    some->failed[row] |= bit;
    some->log[some->logged++] = row;
  }
}

/* Put rows out of use that no row of the other kind can be mixed with any more. A witness stays one
 * on the way back, where fewer columns have failed. */
static void drop(rows *some, rows *others) {
  /* Of the other kind those seen so far, and of their sets those that hold no other one whole:
   * what can be mixed with none of these can be mixed with none at all. */
  int64_t seen = 0, n_least = 0;
  for (int64_t i = 0; i < some->count; i++) {
    int32_t row = some->order[i];
    uint64_t failed = some->failed[row];
    if ((failed & others->failed[some->witness[row]]) == 0) continue;
    int64_t j = 0;
    while (j < n_least && (failed & others->sets[j])) j++;
    while (j == n_least && seen < others->count) {
      int32_t other = others->order[seen++];
      uint64_t set = others->failed[other];
      int64_t k = 0;
      while (k < n_least && (others->sets[k] & ~set)) k++;
      if (k < n_least) continue;
      others->sets[n_least] = set;
      others->place[n_least++] = other;
      if (failed & set) j++;
    }
    if (j < n_least) {
      some->witness[row] = others->place[j];
      continue;
    }
    some->order[i--] = some->order[--some->count];
    some->order[some->count] = row;
  }
}

static void undo(rows *some, int64_t count, int64_t logged, uint64_t bit) {
  while (some->logged > logged) some->failed[some->log[--some->logged]] &= ~bit;
  some->count = count;
}

/* Find the distinct sets that the rows in use failed. */
static void tell_apart(rows *some, table *known) {
  some->distinct = 0;
  if (++known->stamp == 0) {
    memset(known->stamps, 0, (known->mask + 1) * sizeof *known->stamps);
    known->stamp = 1;
  }
  for (int64_t i = 0; i < some->count; i++) {
    int32_t row = some->order[i];
    uint64_t set = some->failed[row], at = (set * 0x9e3779b97f4a7c15u) >> 32 & known->mask;
    while (known->stamps[at] == known->stamp && known->keys[at] != set)
      at = (at + 1) & known->mask;
    if (known->stamps[at] != known->stamp) {
      known->stamps[at] = known->stamp;
      known->keys[at] = set;
      known->places[at] = (int32_t)some->distinct;
      some->sets[some->distinct] = set;
      some->often[some->distinct++] = 0;
    }
    some->place[row] = known->places[at];
    some->often[known->places[at]]++;
  }
}

/* What a leaf of the value 1 adds for each slot, to the rows that failed a set. */
static void share(uint64_t failed, const rows *background, const double *weights, int n_slots,
                  double *found) {
  int q = __builtin_popcountll(failed);
  double taken = 0.0;
  for (int s = 0; s < n_slots; s++) found[s] = 0.0;
  for (int64_t i = 0; i < background->distinct; i++) {
    uint64_t held = background->sets[i];
    if (held & failed) continue;
    int p = background->sizes[i];
    double often = background->often[i];
    if (q) taken += often * weights[p * SLOTS + q - 1];
    if (!p) continue;
    double given = often * weights[(p - 1) * SLOTS + q];
    for (; held; held &= held - 1) found[__builtin_ctzll(held)] += given;
  }
  for (; failed; failed &= failed - 1) found[__builtin_ctzll(failed)] -= taken;
}

/* Add a leaf to the sums of all rows in use. */
static void add_leaf(search *on, const double *leaf, int64_t width, double *sums) {
  rows *explained = &on->explained, *background = &on->background;
  tell_apart(background, &on->known);
  tell_apart(explained, &on->known);
  for (int64_t i = 0; i < background->distinct; i++)
    background->sizes[i] = __builtin_popcountll(background->sets[i]);
  int n_slots = on->used ? SLOTS - __builtin_clzll(on->used) : 0;
  for (int64_t i = 0; i < explained->distinct; i++)
    share(explained->sets[i], background, on->weights, n_slots, on->shares + i * n_slots);
  for (int64_t i = 0; i < explained->count; i++) {
    int32_t row = explained->order[i];
    const double *found = on->shares + (int64_t)explained->place[row] * n_slots;
    double *first = sums + row * on->n_groups * on->n_outputs;
    for (int s = 0; s < n_slots; s++) {
      double *at = first + on->group_of[s] * on->n_outputs;
      for (int64_t k = 0; k < width; k++) at[k] += found[s] * leaf[k];
    }
  }
}

static void begin(rows *some) {
  some->count = some->n_rows;
  some->logged = 0;
  for (int64_t i = 0; i < some->n_rows; i++) {
    some->order[i] = (int32_t)i;
    some->witness[i] = 0;
    some->failed[i] = 0;
  }
}

/* Go down one tree with all rows. */
static int search_tree(search *on, int32_t root, double *sums) {
  rows *both[2] = {&on->explained, &on->background};
  int64_t depth = 0;
  int32_t at = root;
  begin(both[0]);
  begin(both[1]);
  for (;;) {
    int32_t feature = part_of(on, at, FEATURE), next = part_of(on, at, NEXT);
    if (feature < 0 || !both[0]->count) {
      if (feature < 0 && both[0]->count) add_leaf(on, on->leaves + next * on->width, on->width, sums);
    } else {
      int32_t group = on->groups[feature & COLUMN];
      frame *made = on->frames + depth++;
      *made = (frame){.node = at, .next = next, .slot = on->slot_of[group]};
      made->fresh = made->slot < 0;
      if (made->fresh) {
        if (!~on->used) return TOO_MANY_COLUMNS;
        made->slot = __builtin_ctzll(~on->used);
        on->used |= (uint64_t)1 << made->slot;
        on->slot_of[group] = made->slot;
        on->group_of[made->slot] = group;
      }
      for (int k = 0; k < 2; k++) {
        made->count[k] = both[k]->count;
        made->logged[k] = both[k]->logged;
      }
    }
    /* Back to where there is another child, and to that. */
    frame *last;
    for (;;) {
      if (!depth) return 0;
      last = on->frames + depth - 1;
      for (int k = 0; k < 2; k++)
        undo(both[k], last->count[k], last->logged[k], (uint64_t)1 << last->slot);
      if (last->side < 2) break;
      if (last->fresh) {
        on->used &= ~((uint64_t)1 << last->slot);
        on->slot_of[on->group_of[last->slot]] = -1;
      }
      depth--;
    }
    for (int k = 0; k < 2; k++) {
      on->turns(on->nodes, last->node, on->sets, both[k]->values, on->n_features, both[k]->order,
                both[k]->count, both[k]->right);
      turn_off(both[k], last->side, (uint64_t)1 << last->slot);
    }
    if (both[0]->logged > last->logged[0] || both[1]->logged > last->logged[1]) {
      drop(both[0], both[1]);
      drop(both[1], both[0]);
    }
    at = last->next + last->side++;
  }
}

/* Take some of the memory; `memory` is NULL where only its size is asked for. */
static void *take(char *memory, size_t *end, int64_t count, size_t size) {
  void *found = memory ? memory + *end : NULL;
  *end += (count * size + 15) / 16 * 16;
  return found;
}

static void lay_out(rows *some, const void *values, int64_t n_rows, char *memory, size_t *end) {
  some->values = values;
  some->n_rows = n_rows;
  some->failed = take(memory, end, n_rows, sizeof *some->failed);
  some->sets = take(memory, end, n_rows, sizeof *some->sets);
  some->order = take(memory, end, n_rows, sizeof *some->order);
  some->witness = take(memory, end, n_rows, sizeof *some->witness);
  some->place = take(memory, end, n_rows, sizeof *some->place);
  some->often = take(memory, end, n_rows, sizeof *some->often);
  some->sizes = take(memory, end, n_rows, sizeof *some->sizes);
  some->log = take(memory, end, n_rows * SLOTS, sizeof *some->log);
  some->right = take(memory, end, n_rows, sizeof *some->right);
}

/* Add to the sums of each explained row what each input column adds to its trees, for the sum over
 * the rows of the background. Return 0, or why it could not be done.
 *
 * trees       with leaves of float64
 * wide        whether the values are float64, not float32
 * groups      (n_features,), the input column that each feature is made of; any that is not asked
 * depth       the most inner nodes on a path
 * weights     (SLOTS + 1, SLOTS), of p and q: p! q! / (p + q + 1)!
 * explained   (n_explained, n_features), less than 2^31 rows
 * background  (n_background, n_features), at least one row
 * sums        (n_explained, n_groups, n_outputs)
 */
EXPORT int32_t shapley(const forest *trees, int32_t wide, const int32_t *groups,
                       int64_t n_features, int64_t depth, const double *weights,
                       const void *explained, int64_t n_explained, const void *background,
                       int64_t n_background, double *sums, int64_t n_groups, int64_t n_outputs) {
  search on = {.nodes = trees->nodes, .node_size = wide ? 16 : 12, .n_features = n_features,
               .width = trees->width, .n_groups = n_groups, .n_outputs = n_outputs,
               .turns = wide ? trees_float64_turns : trees_float32_turns, .sets = trees->sets,
               .leaves = trees->leaves, .weights = weights, .groups = groups};
  int64_t most = n_explained > n_background ? n_explained : n_background, size = 2;
  while (size < 2 * most) size *= 2;
  on.known.mask = size - 1;
  char *memory = NULL;
  /* The first time it is told how much there must be. */
  for (int twice = 0; twice < 2; twice++) {
    size_t end = 0;
    on.frames = take(memory, &end, depth + 1, sizeof *on.frames);
    on.slot_of = take(memory, &end, n_groups, sizeof *on.slot_of);
    on.shares = take(memory, &end, n_explained * SLOTS, sizeof *on.shares);
    on.known.keys = take(memory, &end, size, sizeof *on.known.keys);
    on.known.places = take(memory, &end, size, sizeof *on.known.places);
    on.known.stamps = take(memory, &end, size, sizeof *on.known.stamps);
    lay_out(&on.explained, explained, n_explained, memory, &end);
    lay_out(&on.background, background, n_background, memory, &end);
    if (!memory && !(memory = calloc(1, end))) return NO_MEMORY;
  }
  for (int64_t g = 0; g < n_groups; g++) on.slot_of[g] = -1;
  int32_t status = 0;
  for (int64_t t = 0; t < trees->n_trees && !status; t++)
    status = search_tree(&on, trees->roots[t], sums + trees->outputs[t]);
  free(memory);
  return status;
}
