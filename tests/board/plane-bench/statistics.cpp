#include "tests/board/plane-bench/statistics.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace vitrine::bench {
namespace {

std::vector<double> sortedCopy(std::span<const double> sample) {
  std::vector<double> sorted(sample.begin(), sample.end());
  std::ranges::sort(sorted);
  return sorted;
}

/** Ranks of a joint sample, doubled so that the mean rank of a tie is a whole number, and what ties cost in variance. */
struct Ranks {
  std::vector<size_t> doubled; ///< in the order of the joint sample: first `a`, then `b`
  double tieTerm = 0;          ///< sum of t³ - t over groups of t equal values
};

Ranks rank(std::span<const double> a, std::span<const double> b) {
  std::vector<double> joint(a.begin(), a.end());
  joint.insert(joint.end(), b.begin(), b.end());
  std::vector<size_t> order(joint.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::sort(order, {}, [&](size_t index) { return joint[index]; });
  Ranks ranks{std::vector<size_t>(joint.size()), 0};
  for (size_t first = 0; first < order.size();) {
    size_t end = first + 1;
    while (end < order.size() && joint[order[end]] == joint[order[first]])
      ++end;
    for (size_t i = first; i < end; ++i)
      ranks.doubled[order[i]] = first + end + 1; // twice the mean of first + 1 … end
    const auto ties = static_cast<double>(end - first);
    ranks.tieTerm += ties * ties * ties - ties;
    first = end;
  }
  return ranks;
}

/** ways[s]: in how many ways `chosen` of the doubled ranks sum to s. Doubles: exact to 2^53, and close beyond. */
std::vector<double> rankSums(std::span<const size_t> doubled, size_t chosen) {
  const size_t total = std::accumulate(doubled.begin(), doubled.end(), size_t{0});
  std::vector<std::vector<double>> ways(chosen + 1, std::vector<double>(total + 1, 0.0));
  ways[0][0] = 1;
  for (const size_t value : doubled) {
    for (size_t count = chosen; count-- > 0;) {
      for (size_t sum = 0; sum + value <= total; ++sum)
        ways[count + 1][sum + value] += ways[count][sum];
    }
  }
  return ways[chosen];
}

/** P(|U - mean| at least what was seen), by counting. */
double exactProbability(const Ranks& ranks, size_t countA, size_t doubledSumA) {
  const std::vector<double> ways = rankSums(ranks.doubled, countA);
  const double all = std::accumulate(ways.begin(), ways.end(), 0.0);
  // The mean of the doubled sum is countA × (N + 1), a whole number.
  const auto mean = static_cast<std::ptrdiff_t>(countA * (ranks.doubled.size() + 1));
  const std::ptrdiff_t seen = std::abs(static_cast<std::ptrdiff_t>(doubledSumA) - mean);
  double extreme = 0;
  for (size_t sum = 0; sum < ways.size(); ++sum) {
    if (std::abs(static_cast<std::ptrdiff_t>(sum) - mean) >= seen) extreme += ways[sum];
  }
  return std::min(1.0, extreme / all);
}

double normalProbability(const Ranks& ranks, double countA, double countB, double u) {
  const double all = countA + countB;
  const double variance = countA * countB / 12 * (all + 1 - ranks.tieTerm / (all * (all - 1)));
  if (variance <= 0) return 1; // every value is the same
  const double distance = std::max(0.0, std::abs(u - countA * countB / 2) - 0.5);
  return std::min(1.0, std::erfc(distance / std::sqrt(variance) / std::sqrt(2.0)));
}

/**
 * The largest k with P(U < k) <= tail for samples without ties: so many differences at each end lie outside the interval.
 * `covered` becomes 1 - 2 P(U < k).
 */
size_t differencesOutside(size_t countA, size_t countB, double tail, double& covered) {
  std::vector<size_t> doubled(countA + countB);
  for (size_t i = 0; i < doubled.size(); ++i)
    doubled[i] = 2 * (i + 1);
  const std::vector<double> ways = rankSums(doubled, countA);
  const double all = std::accumulate(ways.begin(), ways.end(), 0.0);
  const size_t lowest = countA * (countA + 1); // the doubled sum of U = 0
  double below = 0;
  size_t outside = 0;
  while (outside < countA * countB / 2) {
    const double next = below + ways[lowest + 2 * outside] / all;
    if (next > tail) break;
    below = next;
    ++outside;
  }
  covered = 1 - 2 * below;
  return outside;
}

/** The same by the normal approximation (Hollander and Wolfe, 4.3, equation 4.27). */
size_t differencesOutsideNormal(double countA, double countB, double confidence) {
  // The quantile by bisection of erfc: 60 halvings of [0, 10] are exact in double.
  double low = 0;
  double high = 10;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (std::erfc(middle / std::sqrt(2.0)) > 1 - confidence ? low : high) = middle;
  }
  const double reach = low * std::sqrt(countA * countB * (countA + countB + 1) / 12);
  return static_cast<size_t>(std::max(0.0, std::floor(countA * countB / 2 - reach)));
}

} // namespace

double percentile(std::span<const double> sorted, double fraction) {
  const double place = fraction * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(place);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (place - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

Summary summarize(std::span<const double> sample) {
  if (sample.empty()) return {};
  const std::vector<double> sorted = sortedCopy(sample);
  return {sorted.size(), sorted.front(), percentile(sorted, 0.5), percentile(sorted, 0.95), percentile(sorted, 0.99),
          sorted.back()};
}

UTest mannWhitney(std::span<const double> a, std::span<const double> b, size_t exactUpTo) {
  if (a.empty() || b.empty()) return {};
  const Ranks ranks = rank(a, b);
  const size_t doubledSumA =
      std::accumulate(ranks.doubled.begin(), ranks.doubled.begin() + static_cast<std::ptrdiff_t>(a.size()), size_t{0});
  const auto countA = static_cast<double>(a.size());
  const auto countB = static_cast<double>(b.size());
  UTest result;
  // The rank sum of `a` is its least value plus the pairs that `a` wins; `b` wins the others.
  result.u = countA * countB - (static_cast<double>(doubledSumA) / 2 - countA * (countA + 1) / 2);
  result.exact = a.size() + b.size() <= exactUpTo;
  result.probability = result.exact ? exactProbability(ranks, a.size(), doubledSumA)
                                    : normalProbability(ranks, countA, countB, result.u);
  return result;
}

double smallestProbability(size_t a, size_t b) {
  if (a == 0 || b == 0) return 1;
  std::vector<double> low(a);
  std::vector<double> high(b);
  std::iota(low.begin(), low.end(), 0.0);
  std::iota(high.begin(), high.end(), static_cast<double>(a));
  return mannWhitney(low, high).probability;
}

Shift hodgesLehmann(std::span<const double> a, std::span<const double> b, double confidence) {
  if (a.empty() || b.empty()) return {};
  std::vector<double> differences;
  differences.reserve(a.size() * b.size());
  for (const double valueA : a) {
    for (const double valueB : b)
      differences.push_back(valueB - valueA);
  }
  std::ranges::sort(differences);
  double covered = confidence;
  const size_t outside =
      a.size() + b.size() <= exactLimit
          ? differencesOutside(a.size(), b.size(), (1 - confidence) / 2, covered)
          : differencesOutsideNormal(static_cast<double>(a.size()), static_cast<double>(b.size()), confidence);
  const double estimate = percentile(differences, 0.5);
  if (outside == 0) return {estimate, differences.front(), differences.back(), 0};
  return {estimate, differences[outside - 1], differences[differences.size() - outside], covered};
}

std::vector<double> holm(std::span<const double> probabilities) {
  std::vector<size_t> order(probabilities.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::sort(order, {}, [&](size_t index) { return probabilities[index]; });
  std::vector<double> adjusted(probabilities.size());
  double greatest = 0; // a test is never more certain than one before it
  for (size_t i = 0; i < order.size(); ++i) {
    greatest = std::max(greatest, std::min(1.0, probabilities[order[i]] * static_cast<double>(order.size() - i)));
    adjusted[order[i]] = greatest;
  }
  return adjusted;
}

} // namespace vitrine::bench
