/* The Shapley values of trees: how much each input column moved the answer for a row, compared with
 * the rows of a background.
 *
 * Of a row x and a background row z a coalition of columns has the values of x, the other columns
 * those of z. A leaf is reached by the coalitions that hold every column on whose questions z turns
 * off the leaf's path, and none on whose questions x does. Where x and z fail the same column no
 * coalition reaches it; else the values of such a game are known, and depend on the two sets alone.
 * So a tree is gone through once for many rows of both kinds. Each row keeps the set of columns
 * that it failed on the way and the crowd of background rows that it can still be mixed with, and
 * goes as far as there is one.
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

/* How many columns may be asked for on one path, and how many rows a background may have: a bit for
 * each. */
#define SLOTS 64
#define CROWD 128
typedef unsigned __int128 crowd;

/* What a row was before it failed a column, or lost some of its crowd: on one path each row does
 * that at most once for each bit of the two. */
typedef struct {
  crowd others;
  uint64_t failed;
  int32_t row;
} entry;

/* What is to be undone when a node is left, and which background rows go right there. */
typedef struct {
  crowd off, right;
  int64_t count, logged;
  int32_t node, next, side, slot, fresh;
} frame;

/* A table from sets of columns to places, emptied by another stamp. */
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
 * rights    (n_nodes,), the background rows that go right at each node; NULL where nobody looked
 * slot_of   (n_groups,), the bit that an input column has on this path; -1 for none
 * group_of  (SLOTS,), the other way round
 * off       (SLOTS,), the background rows that failed each column on this path
 * order     the rows, first those that are still of use, `count` of them
 * failed    of each row, the slots of the columns that it failed
 * others    of each row, the background rows that it can be mixed with
 * place     of each row, its place among the `distinct` sets
 * shares    of each distinct set, what a leaf of the value 1 adds for each slot
 * held      of each background row, the slots of the columns that it failed; `sizes`, how many;
 *           `often`, how many rows have the same ones
 */
typedef struct {
  const char *nodes;
  int64_t node_size, n_features, width, n_groups, n_outputs;
  turns *turns;
  const uint32_t *sets;
  const double *leaves, *weights;
  const int32_t *groups;
  const char *rights;
  const void *x, *background;
  int64_t n_rows, n_background, count, logged, distinct;
  int32_t *slot_of;
  int32_t group_of[SLOTS];
  uint64_t used;
  crowd everyone, off[SLOTS];
  int32_t *order, *place;
  uint64_t *failed, *told;
  crowd *others, *mixed;
  uint8_t *right;
  double *shares;
  entry *log;
  frame *frames;
  table known;
  uint64_t held[CROWD];
  int32_t sizes[CROWD], often[CROWD], every[CROWD];
} search;

/* The last two of a node's figures. */
#define FEATURE 2
#define NEXT 1
static inline int32_t part_of(const search *on, int32_t at, int which) {
  return ((const int32_t *)(on->nodes + (at + (int64_t)1) * on->node_size))[-which];
}

static inline int first_of(crowd some) {
  uint64_t low = (uint64_t)some;
  return low ? __builtin_ctzll(low) : 64 + __builtin_ctzll((uint64_t)(some >> 64));
}

/* Which rows of the background go right at a node. */
static crowd goes_right(search *on, int32_t at) {
  if (on->rights) {
    crowd known;
    memcpy(&known, on->rights + at * sizeof known, sizeof known);
    return known;
  }
  uint8_t right[CROWD];
  on->turns(on->nodes, at, on->sets, on->background, on->n_features, on->every, on->n_background,
            right);
  crowd found = 0;
  for (int64_t z = on->n_background; z-- > 0;) found = found << 1 | right[z];
  return found;
}

/* Go from a node to one of its children. Rows that can be mixed with none are out of use. */
static void descend(search *on, const frame *from) {
  uint64_t bit = (uint64_t)1 << from->slot;
  crowd off = from->off | (from->side ? on->everyone & ~from->right : from->right);
  on->off[from->slot] = off;
  on->turns(on->nodes, from->node, on->sets, on->x, on->n_features, on->order, on->count, on->right);
  for (int64_t i = 0; i < on->count; i++) {
    int32_t row = on->order[i];
    uint64_t before = on->failed[row], failed = on->right[i] == from->side ? before : before | bit;
    if (!(failed & bit)) continue;
    crowd others = on->others[row], left = others & ~off;
    if (!left) {
      on->order[i] = on->order[--on->count];
      on->right[i--] = on->right[on->count];
      on->order[on->count] = row;
    } else if (left != others || failed != before) {
      on->log[on->logged++] = (entry){.others = others, .failed = before, .row = row};
      on->others[row] = left;
      on->failed[row] = failed;
    }
  }
}

/* Go back from a child. */
static void go_back(search *on, const frame *to) {
  while (on->logged > to->logged) {
    const entry *last = on->log + --on->logged;
    on->others[last->row] = last->others;
    on->failed[last->row] = last->failed;
  }
  on->count = to->count;
  on->off[to->slot] = to->off;
}

static void empty(table *known) {
  if (++known->stamp) return;
  memset(known->stamps, 0, (known->mask + 1) * sizeof *known->stamps);
  known->stamp = 1;
}

/* Return the place of a set; of a new one it is `next`. */
static inline int32_t place_of(table *known, uint64_t set, int32_t next) {
  uint64_t at = (set * 0x9e3779b97f4a7c15u) >> 32 & known->mask;
  while (known->stamps[at] == known->stamp && known->keys[at] != set) at = (at + 1) & known->mask;
  if (known->stamps[at] == known->stamp) return known->places[at];
  known->stamps[at] = known->stamp;
  known->keys[at] = set;
  known->places[at] = next;
  return next;
}

/* Tell the sets apart that the rows in use failed. Return with whom any of them can be mixed. */
static crowd tell_apart(search *on) {
  crowd found = 0;
  empty(&on->known);
  on->distinct = 0;
  for (int64_t i = 0; i < on->count; i++) {
    int32_t row = on->order[i], next = (int32_t)on->distinct;
    on->place[row] = place_of(&on->known, on->failed[row], next);
    if (on->place[row] != next) continue;
    on->told[next] = on->failed[row];
    on->mixed[next] = on->others[row];
    found |= on->others[row];
    on->distinct++;
  }
  return found;
}

/* Tell what some rows of the background failed. Return one of each set. */
static crowd tell_background(search *on, crowd some) {
  for (crowd rest = some; rest; rest &= rest - 1) on->held[first_of(rest)] = 0;
  for (uint64_t used = on->used; used; used &= used - 1) {
    int slot = __builtin_ctzll(used);
    for (crowd rest = on->off[slot] & some; rest; rest &= rest - 1)
      on->held[first_of(rest)] |= (uint64_t)1 << slot;
  }
  crowd first = 0;
  empty(&on->known);
  for (; some; some &= some - 1) {
    int z = first_of(some), same = place_of(&on->known, on->held[z], z);
    if (same == z) {
      first |= (crowd)1 << z;
      on->sizes[z] = __builtin_popcountll(on->held[z]);
      on->often[z] = 0;
    }
    on->often[same]++;
  }
  return first;
}

/* What a leaf of the value 1 adds for each slot, to rows that failed a set. */
static void share(const search *on, uint64_t failed, crowd others, int n_slots, double *found) {
  int q = __builtin_popcountll(failed);
  double taken = 0.0;
  for (int s = 0; s < n_slots; s++) found[s] = 0.0;
  for (; others; others &= others - 1) {
    int z = first_of(others), p = on->sizes[z];
    double often = on->often[z];
    if (q) taken += often * on->weights[p * SLOTS + q - 1];
    if (!p) continue;
    double given = often * on->weights[(p - 1) * SLOTS + q];
    for (uint64_t held = on->held[z]; held; held &= held - 1)
      found[__builtin_ctzll(held)] += given;
  }
  for (; failed; failed &= failed - 1) found[__builtin_ctzll(failed)] -= taken;
}

/* Add a leaf to the sums of the only row: nothing is to be told apart. */
static void add_leaf_of_one(search *on, const double *leaf, double *sums) {
  crowd others = on->others[0];
  uint64_t failed = on->failed[0];
  int q = __builtin_popcountll(failed);
  for (crowd rest = others; rest; rest &= rest - 1) on->sizes[first_of(rest)] = 0;
  for (uint64_t used = on->used & ~failed; used; used &= used - 1)
    for (crowd rest = on->off[__builtin_ctzll(used)] & others; rest; rest &= rest - 1)
      on->sizes[first_of(rest)]++;
  double taken = 0.0;
  if (q)
    for (crowd rest = others; rest; rest &= rest - 1)
      taken += on->weights[on->sizes[first_of(rest)] * SLOTS + q - 1];
  for (uint64_t used = on->used; used; used &= used - 1) {
    int slot = __builtin_ctzll(used);
    double found = 0.0;
    if (failed >> slot & 1) found = -taken;
    else
      for (crowd rest = on->off[slot] & others; rest; rest &= rest - 1)
        found += on->weights[(on->sizes[first_of(rest)] - 1) * SLOTS + q];
    double *at = sums + on->group_of[slot] * on->n_outputs;
    for (int64_t k = 0; k < on->width; k++) at[k] += found * leaf[k];
  }
}

/* Add a leaf to the sums of all rows in use. */
static void add_leaf(search *on, const double *leaf, double *sums) {
  int64_t zeros = 0;
  while (zeros < on->width && leaf[zeros] == 0.0) zeros++;
  if (zeros == on->width) return;
  if (on->n_rows == 1) {
    add_leaf_of_one(on, leaf, sums);
    return;
  }
  crowd first = tell_apart(on);
  int64_t distinct = on->distinct, n_outputs = on->n_outputs;
  int n_slots = on->used ? SLOTS - __builtin_clzll(on->used) : 0;
  first = tell_background(on, first);
  for (int64_t i = 0; i < distinct; i++)
    share(on, on->told[i], on->mixed[i] & first, n_slots, on->shares + i * n_slots);
  for (int64_t i = 0; i < on->count; i++) {
    int32_t row = on->order[i];
    const double *found = on->shares + (int64_t)on->place[row] * n_slots;
    double *of_row = sums + row * on->n_groups * n_outputs;
    for (int s = 0; s < n_slots; s++) {
      double *at = of_row + on->group_of[s] * n_outputs;
      for (int64_t k = 0; k < on->width; k++) at[k] += found[s] * leaf[k];
    }
  }
}

/* Enter an inner node. Return 0, or that there is no slot for its column. */
static int enter(search *on, frame *made, int32_t at, int32_t feature) {
  int32_t group = on->groups[feature & COLUMN];
  *made = (frame){.node = at, .next = part_of(on, at, NEXT), .slot = on->slot_of[group],
                  .count = on->count, .logged = on->logged, .right = goes_right(on, at)};
  made->fresh = made->slot < 0;
  if (made->fresh) {
    if (!~on->used) return TOO_MANY_COLUMNS;
    made->slot = __builtin_ctzll(~on->used);
    on->used |= (uint64_t)1 << made->slot;
    on->slot_of[group] = made->slot;
    on->group_of[made->slot] = group;
  }
  made->off = on->off[made->slot];
  return 0;
}

static void leave(search *on, const frame *left) {
  if (!left->fresh) return;
  on->used &= ~((uint64_t)1 << left->slot);
  on->slot_of[on->group_of[left->slot]] = -1;
}

/* Go through one tree with all rows. */
static int search_tree(search *on, int32_t root, double *sums) {
  int64_t depth = 0;
  int32_t at = root;
  on->count = on->n_rows;
  on->logged = 0;
  for (int64_t i = 0; i < on->n_rows; i++) {
    on->order[i] = (int32_t)i;
    on->failed[i] = 0;
    on->others[i] = on->everyone;
  }
  for (;;) {
    int32_t feature = part_of(on, at, FEATURE);
    if (feature >= 0 && on->count) {
      int status = enter(on, on->frames + depth++, at, feature);
      if (status) return status;
    } else if (on->count) {
      add_leaf(on, on->leaves + part_of(on, at, NEXT) * on->width, sums);
    }
    /* Back to where there is another child, and to that. */
    frame *last;
    for (;;) {
      if (!depth) return 0;
      last = on->frames + depth - 1;
      go_back(on, last);
      if (last->side < 2) break;
      leave(on, last);
      depth--;
    }
    descend(on, last);
    at = last->next + last->side++;
  }
}

/* Take some of the memory; `memory` is NULL where only its size is asked for. */
static void *take(char *memory, size_t *end, int64_t count, size_t size) {
  void *found = memory ? memory + *end : NULL;
  *end += (count * size + 15) / 16 * 16;
  return found;
}

static size_t lay_out(search *on, int64_t depth, char *memory) {
  size_t end = 0;
  on->frames = take(memory, &end, depth + 1, sizeof *on->frames);
  on->log = take(memory, &end, on->n_rows * (SLOTS + CROWD), sizeof *on->log);
  on->others = take(memory, &end, on->n_rows, sizeof *on->others);
  on->mixed = take(memory, &end, on->n_rows, sizeof *on->mixed);
  on->failed = take(memory, &end, on->n_rows, sizeof *on->failed);
  on->told = take(memory, &end, on->n_rows, sizeof *on->told);
  on->order = take(memory, &end, on->n_rows, sizeof *on->order);
  on->place = take(memory, &end, on->n_rows, sizeof *on->place);
  on->right = take(memory, &end, on->n_rows, sizeof *on->right);
  on->shares = take(memory, &end, on->n_rows * SLOTS, sizeof *on->shares);
  on->slot_of = take(memory, &end, on->n_groups, sizeof *on->slot_of);
  on->known.keys = take(memory, &end, on->known.mask + 1, sizeof *on->known.keys);
  on->known.places = take(memory, &end, on->known.mask + 1, sizeof *on->known.places);
  on->known.stamps = take(memory, &end, on->known.mask + 1, sizeof *on->known.stamps);
  return end;
}

static search begin(const forest *trees, int32_t wide, int64_t n_features, const void *background,
                    int64_t n_background) {
  search on = {.nodes = trees->nodes, .node_size = wide ? 16 : 12, .n_features = n_features,
               .width = trees->width, .turns = wide ? trees_float64_turns : trees_float32_turns,
               .sets = trees->sets, .leaves = trees->leaves, .background = background,
               .n_background = n_background};
  for (int32_t z = 0; z < n_background; z++) {
    on.every[z] = z;
    on.everyone |= (crowd)1 << z;
  }
  return on;
}

/* Find which rows of a background go right at each node: it need not be asked again.
 *
 * background  (n_background, n_features), at most CROWD rows
 * rights      (n_nodes,) of 16 bytes, a bit for each row; nothing of a leaf
 */
EXPORT void shapley_rights(const forest *trees, int32_t wide, int64_t n_features,
                           const void *background, int64_t n_background, char *rights,
                           int64_t n_nodes) {
  search on = begin(trees, wide, n_features, background, n_background);
  for (int64_t at = 0; at < n_nodes; at++) {
    if (part_of(&on, (int32_t)at, FEATURE) < 0) continue;
    crowd found = goes_right(&on, (int32_t)at);
    memcpy(rights + at * sizeof found, &found, sizeof found);
  }
}

/* Add to the sums of each row what each input column adds to its trees, for the sum over the rows of
 * the background. Return 0, or why it could not be done.
 *
 * trees       with leaves of float64
 * wide        whether the values are float64, not float32
 * groups      (n_features,), the input column that each feature is made of; any that is not asked
 * depth       the most inner nodes on a path
 * weights     (SLOTS + 1, SLOTS), of p and q: p! q! / (p + q + 1)!
 * x           (n_rows, n_features), less than 2^31 rows
 * background  (n_background, n_features), at most CROWD rows
 * sums        (n_rows, n_groups, n_outputs)
 * rights      what `shapley_rights` found of this background; NULL where nobody looked
 */
EXPORT int32_t shapley(const forest *trees, int32_t wide, const int32_t *groups,
                       int64_t n_features, int64_t depth, const double *weights, const void *x,
                       int64_t n_rows, const void *background, int64_t n_background, double *sums,
                       int64_t n_groups, int64_t n_outputs, const char *rights) {
  search on = begin(trees, wide, n_features, background, n_background);
  on.n_groups = n_groups;
  on.n_outputs = n_outputs;
  on.weights = weights;
  on.groups = groups;
  on.x = x;
  on.n_rows = n_rows;
  on.rights = rights;
  on.known.mask = 2 * CROWD - 1;
  while (on.known.mask < 2 * (uint64_t)n_rows) on.known.mask = 2 * on.known.mask + 1;
  char *memory = calloc(1, lay_out(&on, depth, NULL));
  if (!memory) return NO_MEMORY;
  lay_out(&on, depth, memory);
  for (int64_t g = 0; g < n_groups; g++) on.slot_of[g] = -1;
  int32_t status = 0;
  for (int64_t t = 0; t < trees->n_trees && !status; t++)
    status = search_tree(&on, trees->roots[t], sums + trees->outputs[t]);
  free(memory);
  return status;
}
