// Counts of durations by size, to about 0.8 % of their value: what percentiles are taken from without keeping every one.

#ifndef HISTOGRAM_H
#define HISTOGRAM_H

#include <stdint.h>
#include <string.h>

#define STEP_BITS 7  // Each doubling of the value has 128 steps, so two significant digits are exact.
#define STEPS (1 << STEP_BITS)
#define VALUE_BITS_MAX 44  // Nanoseconds: nearly five hours. What is longer counts as that.
#define CELLS ((VALUE_BITS_MAX - STEP_BITS + 1) * STEPS)

struct histogram {
  uint64_t cells[CELLS];
  uint64_t count;
  uint64_t max;
};

static inline int cell_of(uint64_t value) {
  if (value < STEPS) return (int)value;
  int shift = 63 - __builtin_clzll(value) - STEP_BITS;
  return (shift + 1) * STEPS + (int)(value >> shift) - STEPS;
}

// The middle of what the cell stands for.
static inline double value_of(int cell) {
  if (cell < STEPS) return cell;
  int shift = cell / STEPS - 1;
  return ((double)(cell % STEPS + STEPS) + 0.5) * (double)(1ULL << shift);
}

static inline void record(struct histogram *histogram, int64_t value) {
  uint64_t bounded = value < 0 ? 0 : (uint64_t)value;
  if (bounded >> VALUE_BITS_MAX) bounded = (1ULL << VALUE_BITS_MAX) - 1;
  histogram->cells[cell_of(bounded)]++;
  histogram->count++;
  if (bounded > histogram->max) histogram->max = bounded;
}

// The smallest value that at least that share of all does not exceed.
static inline double percentile(const struct histogram *histogram, double percent) {
  if (histogram->count == 0) return 0;
  double exact = (double)histogram->count * percent / 100;
  uint64_t rank = (uint64_t)exact;
  if ((double)rank < exact || rank == 0) rank++;
  uint64_t seen = 0;
  for (int cell = 0; cell < CELLS; cell++) {
    seen += histogram->cells[cell];
    if (seen >= rank) {
      double value = value_of(cell);
      return value > (double)histogram->max ? (double)histogram->max : value;
    }
  }
  return (double)histogram->max;
}

#endif
