#include "tests/unit/planner_comparison.h"

#include <chrono>

#include "tests/unit/liftoff_planner.h"
#include "tests/unit/picture_oracle.h"
#include "tests/unit/plane_builder.h"

namespace vitrine::test {
namespace {

constexpr int liftoffFrames = 70;
constexpr int movingFrames = 60;
constexpr int firstPlans = 3;

double secondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/** Judges plans of one list. */
class Judge {
public:
  Judge(const Board& board, std::span<const Layer> layers)
      : board_(board), layers_(layers), oracle_(board.planes, layers, board.output.size) {}

  void first(const FramePlan& plan, PlannerRun& run) const { run.fault = oracle_.fault(plan); }
  void settled(const FramePlan& plan, PlannerRun& run) const {
    if (run.fault.empty()) run.fault = oracle_.fault(plan);
    run.refused = plan.planesUsed() > 0 && !accepts(board_, layers_, plan);
    run.plan = plan;
    run.worth = worthOf(layers_, visibleBoxes(board_, layers_), plan);
  }

private:
  const Board& board_;
  std::span<const Layer> layers_;
  PictureOracle oracle_;
};

/** The topmost layer takes a walk. */
void move(std::vector<Layer>& layers, int frame) {
  layers.back().destination.x += frame < movingFrames / 2 ? 3 : -3;
}

PlannerRun runVitrine(const Board& board, std::vector<Layer> layers, int moves = movingFrames) {
  PlannerRun run;
  unsigned tests = 0;
  double inTests = 0;
  const PlanTest test = [&](const FramePlan& candidate) {
    const auto start = std::chrono::steady_clock::now();
    ++tests;
    auto answer = verdict(accepts(board, layers, candidate));
    inTests += secondsSince(start);
    return answer;
  };
  Planner planner(board.output, board.planes);
  FramePlan plan;
  const auto frame = [&](unsigned& testsOf) {
    const unsigned before = tests;
    inTests = 0;
    const auto start = std::chrono::steady_clock::now();
    planner.plan(layers, 1, test, plan);
    const double seconds = secondsSince(start) - inTests;
    testsOf += tests - before;
    return seconds;
  };
  const std::vector<Layer> list = layers;
  const Judge judge(board, list);
  run.secondsFirst = frame(run.testsFirst);
  judge.first(plan, run);
  if (moves == 0) return run;
  unsigned settling = 0;
  for (int frames = 0; planner.isProvisional() && frames < liftoffFrames; ++frames)
    static_cast<void>(frame(settling));
  run.secondsSteady = frame(run.testsSteady);
  judge.settled(plan, run);
  for (int i = 0; i < moves && !layers.empty(); ++i) {
    move(layers, i);
    run.secondsMoving.push_back(frame(run.testsMoving));
  }
  return run;
}

PlannerRun runLiftoff(const Board& board, std::vector<Layer> layers, int moves = movingFrames) {
  PlannerRun run;
  LiftoffPlanner planner(board);
  FramePlan plan;
  std::vector<bool> changed(layers.size());
  int number = 0;
  const auto frame = [&](unsigned& testsOf) {
    for (size_t i = 0; i < layers.size(); ++i) {
      const auto every =
          layers[i].changesPerSecond > 0 ? std::max(1, static_cast<int>(60 / layers[i].changesPerSecond)) : 0;
      changed[i] = every != 0 && number % every == 0;
    }
    ++number;
    const auto start = std::chrono::steady_clock::now();
    planner.plan(layers, changed, plan);
    const double seconds = secondsSince(start) - planner.secondsInTests();
    testsOf += planner.tests();
    return seconds;
  };
  const std::vector<Layer> list = layers;
  const Judge judge(board, list);
  run.secondsFirst = frame(run.testsFirst);
  judge.first(plan, run);
  if (moves == 0) return run;
  unsigned settling = 0;
  for (int frames = 0; frames < liftoffFrames; ++frames)
    static_cast<void>(frame(settling));
  run.secondsSteady = frame(run.testsSteady);
  judge.settled(plan, run);
  for (int i = 0; i < moves && !layers.empty(); ++i) {
    move(layers, i);
    run.secondsMoving.push_back(frame(run.testsMoving));
  }
  return run;
}

} // namespace

std::vector<Layer> comparableList(const Board& board, std::vector<Layer> layers) {
  const auto covers = [](const Layer& layer) {
    return layer.opaque && layer.alpha == 0xffff && layer.destination.contains(whole);
  };
  if (std::ranges::none_of(layers, covers)) {
    Layer desktop = makeShm(1000, whole);
    desktop.opaque = true;
    layers.insert(layers.begin(), desktop);
  }
  const std::vector<Rect> visible = visibleBoxes(board, layers);
  std::vector<Layer> list;
  for (size_t i = 0; i < layers.size(); ++i) {
    if (!visible[i].empty()) list.push_back(layers[i]);
  }
  return list;
}

RandomScene::RandomScene(uint32_t seed, int layerCount, int planeCount) {
  Random random(seed);
  board = randomBoard(random, planeCount != 0 ? planeCount : 1 + random.upTo(3));
  for (int i = layerCount != 0 ? layerCount : 1 + random.upTo(4); i > 0; --i)
    layers.push_back(randomLayer(random, static_cast<uint64_t>(i)));
  layers = comparableList(board, layers);
}

Comparison compare(const Board& board, const std::vector<Layer>& layers) {
  Comparison best{runVitrine(board, layers), runLiftoff(board, layers)};
  for (int again = 0; again < firstPlans - 1; ++again) {
    best.vitrine.secondsFirst = std::min(best.vitrine.secondsFirst, runVitrine(board, layers, 0).secondsFirst);
    best.liftoff.secondsFirst = std::min(best.liftoff.secondsFirst, runLiftoff(board, layers, 0).secondsFirst);
  }
  return best;
}

} // namespace vitrine::test
