// The planner against an exhaustive search, over random scenes on random hardware and over the known boards.
#include <gtest/gtest.h>

#include <cstdlib>

#include "protected-path/planes/layer_fit.h"
#include "tests/unit/allocation_counter.h"
#include "tests/unit/board.h"
#include "tests/unit/picture_oracle.h"
#include "tests/unit/plane_builder.h"
#include "tests/unit/plane_scenes.h"

using namespace vitrine;
using namespace vitrine::test;

namespace {

/** Every way to put the layers and the composed content on planes. */
class Exhaustive {
public:
  Exhaustive(const Board& board, std::span<const Layer> layers)
      : board_(board), layers_(layers), oracle_(board.planes, layers, board.output.size),
        visible_(visibleBoxes(board, layers)) {}

  [[nodiscard]] Worth worthOf(const FramePlan& plan) const { return test::worthOf(layers_, visible_, plan); }

  /** The best that is right and accepted and better than `least`; `least` where there is none. */
  [[nodiscard]] Worth best(Worth least) {
    best_ = least;
    FramePlan plan;
    plan.layers.assign(layers_.size(), {});
    place(0, 0, plan);
    return best_;
  }

  FramePlan bestPlan;

private:
  static bool isBetter(const Worth& a, const Worth& b) {
    return a.mandatory != b.mandatory ? a.mandatory > b.mandatory : a.saved > b.saved * 1.000001;
  }

  void place(size_t layer, uint64_t used, FramePlan& plan) {
    if (layer == layers_.size()) {
      if (isBetter(worthOf(plan), best_)) compose(used, plan);
      return;
    }
    plan.layers[layer] = {.path = isMandatory(layers_[layer]) ? Path::Placeholder : Path::Composited};
    place(layer + 1, used, plan);
    if (layers_[layer].planeRefusal != Refusal::None || visible_[layer].empty()) return;
    for (size_t p = 0; p < board_.planes.size(); ++p) {
      const Plane& plane = board_.planes[p];
      if ((used >> p & 1) != 0) continue;
      if (plane.type == PlaneType::Primary && !layers_[layer].destination.contains(whole)) continue;
      const LayerFit fit = fitLayer(layers_[layer], plane);
      if (fit.refusal != Refusal::None) continue;
      plan.layers[layer] = {.path = Path::Plane, .planeId = plane.id, .opaqueFormat = fit.opaqueFormat};
      place(layer + 1, used | uint64_t{1} << p, plan);
    }
    plan.layers[layer] = {};
  }

  void compose(uint64_t used, FramePlan& plan) {
    const size_t count = layers_.size();
    plan.composedCount = 0;
    if (order(used, plan)) return;
    for (size_t p = 0; p < board_.planes.size(); ++p) {
      const Plane& plane = board_.planes[p];
      if ((used >> p & 1) != 0 || plane.type != PlaneType::Primary) continue;
      const uint64_t withBottom = used | uint64_t{1} << p;
      plan.composedBuffers[0] = {.planeId = plane.id, .end = count, .bottom = true};
      plan.composedCount = 1;
      if (order(withBottom, plan)) return;
      if (worthOf(plan).mandatory == 0) continue; // two buffers for mandatory layers only
      for (size_t split = 1; split < count; ++split) {
        if (!isMandatory(layers_[split - 1]) || plan.layers[split - 1].path != Path::Plane) continue;
        plan.composedBuffers[0].end = split;
        plan.composedCount = 2;
        if (placeUpper(withBottom, split, 1, plan)) return;
      }
    }
    plan.composedCount = 1;
    if (primaryUsed(used)) placeUpper(used, 0, 0, plan);
  }

  [[nodiscard]] bool primaryUsed(uint64_t used) const {
    for (size_t p = 0; p < board_.planes.size(); ++p) {
      if ((used >> p & 1) != 0 && board_.planes[p].type == PlaneType::Primary) return true;
    }
    return false;
  }

  bool placeUpper(uint64_t used, size_t first, size_t slot, FramePlan& plan) {
    if (board_.output.upperFourcc == 0) return false;
    for (size_t p = 0; p < board_.planes.size(); ++p) {
      const Plane& plane = board_.planes[p];
      if ((used >> p & 1) != 0 || plane.type != PlaneType::Overlay || !plane.hasFormat(board_.output.upperFourcc))
        continue;
      plan.composedBuffers[slot] = {.planeId = plane.id, .first = first, .end = layers_.size(), .bottom = false};
      if (order(used | uint64_t{1} << p, plan)) return true;
    }
    return false;
  }

  /** Tries all orders of the planes in use. */
  bool order(uint64_t used, FramePlan& plan) {
    if (!accepts(board_, layers_, plan)) return false; // in every order
    std::vector<const Plane*> stack;
    for (size_t p = 0; p < board_.planes.size(); ++p) {
      if ((used >> p & 1) != 0) stack.push_back(&board_.planes[p]);
    }
    std::ranges::sort(stack, {}, &Plane::id);
    do {
      if (setOrder(stack, plan) && oracle_.fault(plan).empty()) {
        best_ = worthOf(plan);
        bestPlan = plan;
        return true;
      }
    } while (std::ranges::next_permutation(stack, {}, &Plane::id).found);
    return false;
  }

  static bool setOrder(std::span<const Plane* const> stack, FramePlan& plan) {
    uint32_t least = 0;
    for (size_t position = 0; position < stack.size(); ++position) {
      const Plane& plane = *stack[position];
      if (position > 0) least += stack[position - 1]->id < plane.id ? 0 : 1;
      least = std::max(least, plane.zpos.minimum);
      if (least > plane.zpos.maximum) return false;
      const auto set = [&](auto& target) {
        if (target.planeId != plane.id) return;
        target.zpos = least;
        target.position = static_cast<uint8_t>(position);
      };
      std::ranges::for_each(plan.layers, set);
      for (size_t k = 0; k < plan.composedCount; ++k)
        set(plan.composedBuffers[k]);
    }
    const uint8_t lowest = plan.composedCount > 0 ? plan.composedBuffers[0].position : 0;
    for (LayerOutcome& outcome : plan.layers)
      outcome.underlay = outcome.path == Path::Plane && outcome.position < lowest;
    return true;
  }

  const Board& board_;
  std::span<const Layer> layers_;
  PictureOracle oracle_;
  std::vector<Rect> visible_;
  Worth best_;
};

/** Sums over many scenes. */
struct Totals {
  int scenes = 0;
  int below = 0;
  int missed = 0;
  double saved = 0;
  double possible = 0;
  unsigned long tests = 0;
};

void judge(const Board& board, std::span<const Layer> layers, Totals& totals) {
  Planner planner(board.output, board.planes);
  FramePlan plan;
  const auto test = [&](const FramePlan& candidate) {
    ++totals.tests;
    if (std::getenv("VITRINE_TRACE") != nullptr) {
      std::printf("asked (%s) %s", accepts(board, layers, candidate) ? "yes" : "no",
                  describe(board, layers, candidate).c_str());
    }
    return verdict(accepts(board, layers, candidate));
  };
  for (int frames = 0; frames == 0 || (planner.isProvisional() && frames < 100); ++frames)
    planner.plan(layers, 1, test, plan);
  EXPECT_FALSE(planner.isProvisional());
  EXPECT_EQ(PictureOracle(board.planes, layers, board.output.size).fault(plan), "");
  EXPECT_TRUE(plan.planesUsed() == 0 || accepts(board, layers, plan));
  Exhaustive exhaustive(board, layers);
  const Worth found = exhaustive.worthOf(plan);
  const Worth best = exhaustive.best(found);
  ++totals.scenes;
  totals.saved += found.saved;
  totals.possible += best.mandatory > found.mandatory ? found.saved : best.saved;
  if (best.mandatory > found.mandatory) ++totals.missed;
  if (best.saved > found.saved * 1.000001 || best.mandatory > found.mandatory) {
    ++totals.below;
    if (std::getenv("VITRINE_VERBOSE") != nullptr) {
      std::printf("found %u, %.0f\n%s", found.mandatory, found.saved, describe(board, layers, plan).c_str());
      std::printf("best %u, %.0f\n%s\n", best.mandatory, best.saved,
                  describe(board, layers, exhaustive.bestPlan).c_str());
    }
  }
}

TEST(PlannerOptimum, RandomScenes) {
  const char* given = std::getenv("VITRINE_SEED");
  const uint32_t seed = given != nullptr ? static_cast<uint32_t>(std::strtoul(given, nullptr, 10)) : 1;
  const char* count = std::getenv("VITRINE_SCENES");
  const int scenes = count != nullptr ? std::atoi(count) : 2000;
  Random random(seed);
  Totals totals;
  for (int i = 0; i < scenes && !testing::Test::HasFailure(); ++i) {
    const Board board = randomBoard(random, 1 + random.upTo(3));
    std::vector<Layer> layers;
    for (int k = random.upTo(5); k > 0; --k)
      layers.push_back(randomLayer(random, static_cast<uint64_t>(k)));
    judge(board, layers, totals);
  }
  const double lost = totals.possible > 0 ? 100 * (1 - totals.saved / totals.possible) : 0;
  std::printf(
      "%d scenes, seed %u: %d below the optimum, %.3f %% lost, %d mandatory layers missed, %.2f tests a scene\n",
      totals.scenes, seed, totals.below, lost, totals.missed, static_cast<double>(totals.tests) / totals.scenes);
  EXPECT_LE(lost, 0.1);
  EXPECT_EQ(totals.missed, 0);
}

// ---- Known boards

TEST(PlannerOptimum, KnownBoards) {
  Totals totals;
  for (const Board& board : knownBoards()) {
    EXPECT_FALSE(board.source.empty());
    Totals ofBoard;
    for (const auto& [name, layers] : namedScenes()) {
      SCOPED_TRACE(board.name + ", " + name);
      judge(board, layers, ofBoard);
    }
    std::printf("%-32s %2d scenes, %d below the optimum, %d mandatory layers missed, %.2f tests a scene\n",
                board.name.c_str(), ofBoard.scenes, ofBoard.below, ofBoard.missed,
                static_cast<double>(ofBoard.tests) / ofBoard.scenes);
    EXPECT_EQ(ofBoard.below, 0);
    EXPECT_EQ(ofBoard.missed, 0);
  }
}

// What each board does with a protected window under controls in shared memory, the hardest of the usual scenes.
TEST(PlannerOptimum, ProtectedWindowUnderControlsOnKnownBoards) {
  const std::vector<Layer> layers = {makeShm(1, whole), makeProtected(2, box), makeShm(7, strip)};
  for (const Board& board : knownBoards()) {
    SCOPED_TRACE(board.name);
    Planner planner(board.output, board.planes);
    FramePlan plan;
    planner.plan(
        layers, 1, [&](const FramePlan& candidate) { return verdict(accepts(board, layers, candidate)); }, plan);
    std::printf("%-32s %s, %zu composed\n", board.name.c_str(), plan.layers[1].underlay ? "underlay" : "overlay",
                plan.composed().size());
    EXPECT_EQ(plan.layers[1].path, Path::Plane) << refusalName(plan.layers[1].refusal);
  }
}

// ---- Cost

// Twelve layers, eight planes, hardware that refuses: the cost of a search is bounded by what it looks at, not by how often
// the hardware says no. Steps and allocations are counted, no time.
TEST(PlannerCost, TwelveLayersOnEightPlanes) {
  Random random(7);
  uint64_t mostSteps = 0;
  uint64_t mostMoving = 0;
  unsigned tests = 0;
  unsigned movingTests = 0;
  unsigned movingFrames = 0;
  for (int scene = 0; scene < 200; ++scene) {
    const Board board = randomBoard(random, 8);
    std::vector<Layer> layers;
    for (uint64_t id = 1; id <= 12; ++id)
      layers.push_back(randomLayer(random, id));
    uint64_t allocatedByTests = 0;
    const PlanTest test = [&](const FramePlan& candidate) {
      const uint64_t before = allocationCount();
      ++tests;
      Result<> answer = verdict(accepts(board, layers, candidate));
      allocatedByTests += allocationCount() - before;
      return answer;
    };
    Planner planner(board.output, board.planes);
    FramePlan plan;
    const auto settle = [&] {
      do {
        planner.plan(layers, 1, test, plan);
        mostSteps = std::max(mostSteps, planner.steps());
      } while (planner.isProvisional());
    };
    settle();
    planner.forget();
    const uint64_t before = allocationCount();
    allocatedByTests = 0;
    settle();
    EXPECT_EQ(allocationCount() - before, allocatedByTests) << "the planner allocates after its first frame";
    tests = 0;
    for (int frame = 0; frame < 60; ++frame) {
      layers.back().destination.x += frame < 30 ? 3 : -3;
      planner.plan(layers, 1, test, plan);
      mostMoving = std::max(mostMoving, planner.steps());
    }
    movingTests += tests;
    movingFrames += 60;
  }
  std::printf("12 layers, 8 planes: at most %lu steps a frame, %lu while one moves; %.3f tests a moving frame\n",
              static_cast<unsigned long>(mostSteps), static_cast<unsigned long>(mostMoving),
              static_cast<double>(movingTests) / movingFrames);
  EXPECT_LE(mostSteps, 2000U);
  EXPECT_LE(mostMoving, 2000U);
  EXPECT_LE(movingTests, movingFrames / 10);
}

} // namespace
