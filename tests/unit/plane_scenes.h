#pragma once

#include <random>

#include "tests/unit/board.h"

namespace vitrine::test {

/** Numbers from a seed. */
struct Random {
  explicit Random(uint32_t seed) : engine(seed) {}
  int upTo(int most) { return std::uniform_int_distribution<int>(0, most)(engine); }
  bool oneIn(int n) { return upTo(n - 1) == 0; }
  std::mt19937 engine;
};

/** A display controller with this many planes: formats, zpos, scaling and limits by chance. */
[[nodiscard]] Board randomBoard(Random& random, int planes);

/** A surface by chance: video, panel, pointer; opaque or not, scaled or not, protected or not. */
[[nodiscard]] Layer randomLayer(Random& random, uint64_t id);

/** What players, desktops and games show, by name. */
[[nodiscard]] std::vector<std::pair<const char*, std::vector<Layer>>> namedScenes();

/** What a plan is worth. */
struct Worth {
  unsigned mandatory = 0; ///< mandatory layers on planes
  double saved = 0;       ///< composed pixels per second that planes save
};

/** What is to be seen of each layer; empty where one opaque layer above hides all of it. */
[[nodiscard]] std::vector<Rect> visibleBoxes(const Board& board, std::span<const Layer> layers);
[[nodiscard]] Worth worthOf(std::span<const Layer> layers, std::span<const Rect> visible, const FramePlan& plan);

/** The board's planes, the list and its plan in words. */
[[nodiscard]] std::string describe(const Board& board, std::span<const Layer> layers, const FramePlan& plan);

} // namespace vitrine::test
