// Vitrine's planner beside libliftoff: what must hold on machines of any speed. tests/bench/planner-bench.cpp prints the rest.
#include <gtest/gtest.h>

#include <drm_fourcc.h>

#include "tests/unit/planner_comparison.h"

using namespace vitrine;
using namespace vitrine::test;

namespace {

struct Sums {
  double saved = 0;
  double liftoffSaved = 0;
  unsigned tests = 0;
  unsigned liftoffTests = 0;
  unsigned movingTests = 0;
  unsigned liftoffMovingTests = 0;
  unsigned scenes = 0;
  unsigned saveLess = 0;
};

void judge(const Board& board, const std::vector<Layer>& layers, Sums& sums) {
  const auto [vitrine, liftoff] = compare(board, layers);
  EXPECT_EQ(vitrine.fault, "");
  EXPECT_FALSE(vitrine.refused);
  EXPECT_EQ(vitrine.testsSteady, 0U);
  sums.scenes += 1;
  sums.tests += vitrine.testsFirst;
  sums.liftoffTests += liftoff.testsFirst;
  sums.movingTests += vitrine.testsMoving;
  sums.liftoffMovingTests += liftoff.testsMoving;
  sums.saved += vitrine.worth.saved;
  if (!liftoff.fault.empty()) return; // a wrong picture is worth nothing
  EXPECT_GE(vitrine.worth.mandatory, liftoff.worth.mandatory) << describe(board, layers, vitrine.plan);
  sums.liftoffSaved += liftoff.worth.saved;
  const bool less = vitrine.worth.saved < liftoff.worth.saved * 0.999999;
  sums.saveLess += less && vitrine.worth.mandatory == liftoff.worth.mandatory ? 1 : 0;
}

// libliftoff saves more where it leaves the primary smaller than the output, which many drivers refuse, or where it chose
// another of two layers of like worth.
TEST(PlannerAndLiftoff, RandomScenes) {
  Sums sums;
  for (uint32_t seed = 1; seed <= 400; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const RandomScene scene(seed, 0, 0);
    judge(scene.board, scene.layers, sums);
  }
  EXPECT_GT(sums.saved, sums.liftoffSaved);
  EXPECT_LE(sums.saveLess, sums.scenes / 100);
  EXPECT_LT(sums.tests, sums.liftoffTests);
  EXPECT_LT(sums.movingTests * 10, sums.scenes * 60);
  EXPECT_LT(sums.movingTests, sums.liftoffMovingTests);
}

TEST(PlannerAndLiftoff, KnownBoards) {
  Sums sums;
  for (const Board& board : knownBoards()) {
    for (const auto& [name, layers] : namedScenes()) {
      SCOPED_TRACE(board.name + ", " + name);
      judge(board, comparableList(board, layers), sums);
    }
  }
  EXPECT_EQ(sums.saveLess, 0U);
  EXPECT_LT(sums.tests, sums.liftoffTests);
  EXPECT_LT(sums.movingTests, sums.liftoffMovingTests);
}

} // namespace
