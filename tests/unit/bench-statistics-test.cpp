#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <random>

#include "tests/board/plane-bench/statistics.h"

namespace vitrine::bench {
namespace {

using Values = std::vector<double>;

// Hollander and Wolfe, "Nonparametric Statistical Methods", 1973, table 4.1 (permeability of the chorioamnion); also the
// example of R's wilcox.test. U = 35 of 50, p (one-sided) = 0.1272, estimate 0.305, 96 % interval -0.15 to 0.76.
const Values atTerm = {0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46};
const Values early = {1.15, 0.88, 0.90, 0.74, 1.21};

// The example of scipy.stats.mannwhitneyu: U = 17, p = 0.1111 exact, 0.11134688653314041 by approximation.
const Values males = {19, 22, 16, 29, 24};
const Values females = {20, 11, 17, 12};

TEST(Percentile, InterpolatesAsRAndNumpyDo) {
  Values sorted(10);
  std::iota(sorted.begin(), sorted.end(), 1.0); // R: quantile(1:10, c(.05, .5, .95, .99))
  EXPECT_DOUBLE_EQ(percentile(sorted, 0.05), 1.45);
  EXPECT_DOUBLE_EQ(percentile(sorted, 0.5), 5.5);
  EXPECT_DOUBLE_EQ(percentile(sorted, 0.95), 9.55);
  EXPECT_DOUBLE_EQ(percentile(sorted, 0.99), 9.91);
  EXPECT_DOUBLE_EQ(percentile(sorted, 0), 1);
  EXPECT_DOUBLE_EQ(percentile(sorted, 1), 10);
  EXPECT_DOUBLE_EQ(percentile(Values{7}, 0.99), 7);
}

TEST(Summary, SortsItsSample) {
  const Summary summary = summarize(Values{5, 1, 4, 2, 3});
  EXPECT_EQ(summary.count, 5U);
  EXPECT_EQ(summary.minimum, 1);
  EXPECT_EQ(summary.p50, 3);
  EXPECT_DOUBLE_EQ(summary.p95, 4.8);
  EXPECT_EQ(summary.maximum, 5);
  EXPECT_EQ(summarize({}).count, 0U);
}

TEST(MannWhitney, GivesTheBooksProbability) {
  const UTest test = mannWhitney(early, atTerm);
  EXPECT_TRUE(test.exact);
  EXPECT_EQ(test.u, 35);
  EXPECT_NEAR(test.probability / 2, 0.1272, 0.00005);
  EXPECT_EQ(mannWhitney(atTerm, early).u, 15);
}

TEST(MannWhitney, GivesScipysProbabilities) {
  EXPECT_EQ(mannWhitney(females, males).u, 17);
  EXPECT_NEAR(mannWhitney(females, males).probability, 0.1111111111111111, 1e-12);
  const UTest normal = mannWhitney(females, males, 0);
  EXPECT_FALSE(normal.exact);
  EXPECT_NEAR(normal.probability, 0.11134688653314041, 1e-12);
}

// The critical values of U at 5 %, two-sided, of the table by Mann and Whitney (1947) in any textbook: 2, 13, 17, 23.
TEST(MannWhitney, HasTheCriticalValuesOfTheTable) {
  struct Row {
    size_t size;
    size_t critical;
  };
  for (const Row row : {Row{5, 2}, Row{8, 13}, Row{9, 17}, Row{10, 23}}) {
    // `a` = 1 … n; each value of `b` lies above all of `a`, but for two that give U its value.
    const auto probabilityOf = [&](size_t u) {
      Values a(row.size);
      Values b;
      std::iota(a.begin(), a.end(), 1.0);
      for (size_t left = u; b.size() < row.size;) {
        const size_t below = std::min(left, row.size); // so many of `a` are greater than this one
        b.push_back(static_cast<double>(row.size - below) + 0.5 + 0.01 * static_cast<double>(b.size()));
        left -= below;
      }
      const UTest test = mannWhitney(b, a);
      EXPECT_EQ(test.u, static_cast<double>(u)) << row.size;
      return test.probability;
    };
    EXPECT_LE(probabilityOf(row.critical), 0.05) << row.size;
    EXPECT_GT(probabilityOf(row.critical + 1), 0.05) << row.size;
  }
}

// 33 of the 462 ways to choose six of these eleven are as extreme (counted one by one).
TEST(MannWhitney, IsExactWithTies) {
  const UTest test = mannWhitney(Values{1, 2, 2, 3, 4, 4}, Values{2, 4, 5, 5, 6});
  EXPECT_TRUE(test.exact);
  EXPECT_EQ(test.u, 25);
  EXPECT_NEAR(test.probability, 33.0 / 462, 1e-12);
}

TEST(MannWhitney, FindsNothingInEqualOrEmptySamples) {
  EXPECT_EQ(mannWhitney(Values(9, 4.0), Values(9, 4.0)).probability, 1);
  EXPECT_EQ(mannWhitney(Values(40, 4.0), Values(40, 4.0)).probability, 1);
  EXPECT_EQ(mannWhitney({}, Values{1}).probability, 1);
}

TEST(MannWhitney, ApproximatesLargeSamplesWithTies) {
  std::mt19937 random(7); // NOLINT: repeatable on purpose
  Values a(30);
  Values b(30);
  for (size_t i = 0; i < a.size(); ++i) {
    a[i] = static_cast<double>(random() % 8);
    b[i] = static_cast<double>(random() % 8 + 1);
  }
  const double exact = mannWhitney(a, b).probability;
  EXPECT_NEAR(mannWhitney(a, b, 0).probability, exact, 0.1 * exact + 0.002);
}

TEST(MannWhitney, SmallestProbabilityIsTwoOfAllWays) {
  EXPECT_NEAR(smallestProbability(9, 9), 2.0 / 48620, 1e-12);
  EXPECT_NEAR(smallestProbability(3, 3), 0.1, 1e-12);
  EXPECT_EQ(smallestProbability(1, 1), 1);
}

// Of samples from one distribution, 5 % at most are called different: 2,000 draws, so 4 sigma are 2 %.
TEST(MannWhitney, CallsFivePercentOfEqualSamplesDifferent) {
  std::mt19937 random(11); // NOLINT: repeatable on purpose
  std::lognormal_distribution<double> latency(3, 0.5);
  unsigned different = 0;
  for (int draw = 0; draw < 2000; ++draw) {
    Values a(9);
    Values b(9);
    for (double& value : a)
      value = latency(random);
    for (double& value : b)
      value = latency(random);
    different += mannWhitney(a, b).probability < 0.05 ? 1 : 0;
  }
  EXPECT_GT(different, 20U);
  EXPECT_LT(different, 140U);
}

TEST(HodgesLehmann, GivesTheBooksEstimateAndInterval) {
  const Shift shift = hodgesLehmann(early, atTerm);
  EXPECT_NEAR(shift.estimate, 0.305, 1e-12);
  EXPECT_NEAR(shift.low, -0.15, 1e-12);
  EXPECT_NEAR(shift.high, 0.76, 1e-12);
  EXPECT_NEAR(shift.confidence, 0.96, 0.0005);
  const Shift wide = hodgesLehmann(early, atTerm, 0.9);
  EXPECT_NEAR(wide.low, -0.08, 1e-12);
  EXPECT_NEAR(wide.high, 0.72, 1e-12);
}

TEST(HodgesLehmann, FindsAConstantShift) {
  const Shift shift = hodgesLehmann(atTerm, [] {
    Values later = atTerm;
    for (double& value : later)
      value += 3;
    return later;
  }());
  EXPECT_NEAR(shift.estimate, 3, 1e-12);
  EXPECT_LT(shift.low, 3);
  EXPECT_GT(shift.high, 3);
}

TEST(HodgesLehmann, SaysThatTooFewValuesHaveNoInterval) {
  const Shift shift = hodgesLehmann(Values{1, 2}, Values{4, 6});
  EXPECT_EQ(shift.confidence, 0);
  EXPECT_EQ(shift.low, 2);
  EXPECT_EQ(shift.high, 5);
}

TEST(HodgesLehmann, KnowsLargeSamples) {
  Values a(40);
  Values b(40);
  std::iota(a.begin(), a.end(), 0.0);
  std::iota(b.begin(), b.end(), 5.0);
  const Shift shift = hodgesLehmann(a, b);
  EXPECT_EQ(shift.estimate, 5);
  // 800 - 1.96 × sqrt(40 × 40 × 81 / 12) = 596.3. The difference -34 occurs once, -33 twice … -1 34 times, 595 in all, so that
  // the 596th is 0; the other end mirrors it.
  EXPECT_EQ(shift.low, 0);
  EXPECT_EQ(shift.high, 10);
  EXPECT_EQ(shift.confidence, 0.95);
}

// The example of the article "Holm–Bonferroni method" in Wikipedia: the second and third are kept, the others refused.
TEST(Holm, AdjustsTheTextbookFamily) {
  const Values adjusted = holm(Values{0.01, 0.04, 0.03, 0.005});
  EXPECT_DOUBLE_EQ(adjusted[0], 0.03);
  EXPECT_DOUBLE_EQ(adjusted[1], 0.06);
  EXPECT_DOUBLE_EQ(adjusted[2], 0.06);
  EXPECT_DOUBLE_EQ(adjusted[3], 0.02);
  EXPECT_EQ(holm(Values{0.9, 0.8})[0], 1);
  EXPECT_TRUE(holm({}).empty());
}

} // namespace
} // namespace vitrine::bench
