// Vitrine's planner beside libliftoff, on the same boards with the same lists. For a person to read; what must hold is in
// tests/unit/planner-liftoff-test.cpp.
//   planner-bench [SCENES]      the table
//   planner-bench --scene N     what both make of one random scene
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string_view>

#include "tests/unit/planner_comparison.h"

using namespace vitrine;
using namespace vitrine::test;

namespace {

/** Sums of one set of scenes. */
class Table {
public:
  void add(const Comparison& one, const std::string& scene) {
    all_.push_back(one);
    const bool bothRight = one.vitrine.fault.empty() && one.liftoff.fault.empty();
    if (bothRight && one.vitrine.worth.mandatory < one.liftoff.worth.mandatory) worse_.push_back(scene);
    const bool less = one.vitrine.worth.saved < one.liftoff.worth.saved * 0.999999;
    if (bothRight && less && one.vitrine.worth.mandatory <= one.liftoff.worth.mandatory) savesLess_.push_back(scene);
  }

  void print(const char* title) const {
    std::printf("\n%s: %zu scenes\n%-46s %14s %14s\n", title, all_.size(), "", "vitrine", "libliftoff");
    row("wrong pictures", "%14.0f", [](const PlannerRun& run) { return run.fault.empty() ? 0 : 1; });
    row("plans that the hardware refuses", "%14.0f", [](const PlannerRun& run) { return run.refused ? 1 : 0; });
    row("mandatory layers on planes", "%14.0f", [](const PlannerRun& run) { return run.worth.mandatory; });
    row("saved, gigapixels/s (right pictures)", "%14.2f",
        [](const PlannerRun& run) { return run.fault.empty() ? run.worth.saved / 1e9 : 0; });
    const auto count = static_cast<double>(std::max<size_t>(all_.size(), 1));
    row("tests, first frame", "%14.2f", [=](const PlannerRun& run) { return run.testsFirst / count; });
    row("tests, steady frame", "%14.2f", [=](const PlannerRun& run) { return run.testsSteady / count; });
    row("tests, moving frame", "%14.3f", [=](const PlannerRun& run) { return run.testsMoving / count / 60; });
    percentiles("first plan, us", [](const PlannerRun& run) { return std::vector{run.secondsFirst}; });
    percentiles("steady plan, us", [](const PlannerRun& run) { return std::vector{run.secondsSteady}; });
    percentiles("plan while one layer moves, us", [](const PlannerRun& run) { return run.secondsMoving; });
    list("scenes in which vitrine misses a mandatory layer that libliftoff places", worse_);
    list("scenes in which vitrine saves less", savesLess_);
  }

private:
  static void list(const char* what, const std::vector<std::string>& scenes) {
    std::printf("%s: %zu", what, scenes.size());
    for (size_t i = 0; i < std::min<size_t>(scenes.size(), 6); ++i)
      std::printf("%s %s", i == 0 ? ":" : ",", scenes[i].c_str());
    std::printf("\n");
  }
  void row(const char* name, const char* format, const std::function<double(const PlannerRun&)>& value) const {
    double vitrine = 0;
    double liftoff = 0;
    for (const Comparison& one : all_) {
      vitrine += value(one.vitrine);
      liftoff += value(one.liftoff);
    }
    std::printf("%-46s ", name);
    std::printf(format, vitrine);
    std::printf(" ");
    std::printf(format, liftoff);
    std::printf("\n");
  }
  template<typename Seconds>
  void percentiles(const char* name, Seconds secondsOf) const {
    for (const unsigned percent : {50U, 99U}) {
      const auto at = [&](const PlannerRun Comparison::* planner) {
        std::vector<double> values;
        for (const Comparison& one : all_)
          for (const double seconds : secondsOf(one.*planner))
            values.push_back(seconds);
        std::ranges::sort(values);
        return values.empty() ? 0 : values[values.size() * percent / 100] * 1e6;
      };
      std::printf("%-42s p%2u %14.2f %14.2f\n", name, percent, at(&Comparison::vitrine), at(&Comparison::liftoff));
    }
  }

  std::vector<Comparison> all_;
  std::vector<std::string> worse_;
  std::vector<std::string> savesLess_;
};

void randomScenes(const char* title, uint32_t scenes, int layers, int planes) {
  Table table;
  for (uint32_t seed = 1; seed <= scenes; ++seed) {
    const RandomScene scene(seed, layers, planes);
    table.add(compare(scene.board, scene.layers), std::to_string(seed));
  }
  table.print(title);
}

void knownScenes() {
  Table table;
  for (const Board& board : knownBoards()) {
    for (const auto& [name, layers] : namedScenes()) {
      table.add(compare(board, comparableList(board, layers)), board.name + "/" + name);
    }
  }
  table.print("known boards, named scenes");
}

void show(uint32_t seed) {
  const RandomScene scene(seed, 0, 0);
  const Comparison both = compare(scene.board, scene.layers);
  for (const auto& [name, run] : {std::pair("vitrine", &both.vitrine), std::pair("libliftoff", &both.liftoff)}) {
    std::printf("%s: %u mandatory, saves %.0f, %u tests, %s\n%s\n", name, run->worth.mandatory, run->worth.saved,
                run->testsFirst, run->fault.empty() ? "right" : run->fault.c_str(),
                describe(scene.board, scene.layers, run->plan).c_str());
  }
}

} // namespace

int main(int argc, char** argv) {
  if (argc == 3 && std::string_view(argv[1]) == "--scene") {
    show(static_cast<uint32_t>(std::strtoul(argv[2], nullptr, 10)));
    return 0;
  }
  const auto scenes = static_cast<uint32_t>(argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 10000);
  randomScenes("up to 5 layers on up to 4 planes", scenes, 0, 0);
  randomScenes("12 layers on 8 planes", scenes / 10, 12, 8);
  knownScenes();
}
