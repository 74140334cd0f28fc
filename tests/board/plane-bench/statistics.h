#pragma once

#include <cstddef>
#include <span>
#include <vector>

/**
 * The statistics of vitrine-plane-bench. Pure: numbers in, numbers out, no clock and no device.
 *
 * The unit of comparison is the repetition, not the sample. Samples of one repetition are locked to the same vblanks and
 * depend on each other, so that a thousand of them prove no more than one. Each repetition contributes one number (a
 * percentile of its samples), and two runs are compared by those numbers.
 */
namespace vitrine::bench {

/**
 * The value below which `fraction` (0 to 1) of the sample lies, interpolated between neighbours (type 7 of Hyndman and
 * Fan, "Sample Quantiles in Statistical Packages", 1996; the default of R and NumPy). `sorted` ascends and is not empty.
 */
[[nodiscard]] double percentile(std::span<const double> sorted, double fraction);

/** What a table shows of a sample; all in the sample's unit. */
struct Summary {
  size_t count = 0;
  double minimum = 0;
  double p50 = 0;
  double p95 = 0;
  double p99 = 0;
  double maximum = 0;
};

/** All zero for an empty sample. */
[[nodiscard]] Summary summarize(std::span<const double> sample);

/** Samples with more values in all are judged by the normal approximation. */
inline constexpr size_t exactLimit = 60;

/** The outcome of a two-sided Mann-Whitney U test. */
struct UTest {
  double u = 0;           ///< pairs in which `b` is greater than `a`; a tie counts one half
  double probability = 1; ///< of a U at least as far from its mean if both samples have one distribution
  bool exact = false;     ///< from the permutation distribution; else the normal approximation
};

/**
 * Mann and Whitney, "On a Test of Whether one of Two Random Variables is Stochastically Larger than the Other", 1947.
 *
 * Up to `exactUpTo` values in all, the probability is exact, also with ties: it comes from all ways to choose `a` among
 * the ranks of both (ties share their mean rank). Cost: O(n × N × sum of ranks). Above that limit: the normal
 * approximation with the variance corrected for ties and a continuity correction. Empty samples have probability 1.
 */
[[nodiscard]] UTest mannWhitney(std::span<const double> a, std::span<const double> b, size_t exactUpTo = exactLimit);

/** The smallest probability that mannWhitney() can return for samples of these sizes. */
[[nodiscard]] double smallestProbability(size_t a, size_t b);

/** How far `b` lies above `a`. */
struct Shift {
  double estimate = 0; ///< the median of all differences b - a
  double low = 0;      ///< ends of the interval
  double high = 0;
  double confidence = 0; ///< what the interval really covers; 0 for samples too small for the one asked for
};

/**
 * Hodges and Lehmann, "Estimates of Location Based on Rank Tests", 1963, with the interval of Hollander and Wolfe,
 * "Nonparametric Statistical Methods", 1973, chapter 4: the differences that the U test at `confidence` does not refuse.
 * Samples too small for `confidence` get the range of all differences, with confidence 0.
 */
[[nodiscard]] Shift hodgesLehmann(std::span<const double> a, std::span<const double> b, double confidence = 0.95);

/**
 * Adjusts the probabilities of a family of tests (Holm, "A Simple Sequentially Rejective Multiple Test Procedure",
 * 1979), in the order given. A test that stays below 5 % after this is wrong in 5 % of all families at most, whatever
 * the number of tests in each.
 */
[[nodiscard]] std::vector<double> holm(std::span<const double> probabilities);

} // namespace vitrine::bench
