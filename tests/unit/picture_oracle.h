#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "protected-path/planes/planner.h"

namespace vitrine::test {

/**
 * The rules of the picture, written down without a look at the planner. The output is cut into cells by the edges of the
 * layers; in each cell what the eye meets, from the front to the first opaque thing, must be what the list says.
 */
class PictureOracle {
public:
  PictureOracle(std::span<const Plane> planes, std::span<const Layer> layers, Size output)
      : planes_(planes), layers_(layers),
        screen_{0, 0, static_cast<int32_t>(output.width), static_cast<int32_t>(output.height)} {
    std::vector<int32_t> columns = {0, screen_.right()};
    std::vector<int32_t> rows = {0, screen_.bottom()};
    for (const Layer& layer : layers) {
      const Rect box = intersect(layer.destination, screen_);
      if (box.empty()) continue;
      columns.insert(columns.end(), {box.x, box.right()});
      rows.insert(rows.end(), {box.y, box.bottom()});
    }
    for (auto* edges : {&columns, &rows}) {
      std::ranges::sort(*edges);
      edges->erase(std::ranges::unique(*edges).begin(), edges->end());
    }
    for (size_t column = 0; column + 1 < columns.size(); ++column) {
      for (size_t row = 0; row + 1 < rows.size(); ++row)
        cells_.push_back({columns[column], rows[row], 1, 1});
    }
  }

  /** What is wrong with the plan's picture, or an empty text. */
  [[nodiscard]] std::string fault(const FramePlan& plan) const {
    for (const Rect& cell : cells_) {
      if (seen(plan, cell) != listed(cell)) return "at " + std::to_string(cell.x) + "," + std::to_string(cell.y);
    }
    return stackFault(plan);
  }

private:
  static constexpr int background = -1;
  static constexpr int nothing = -2;

  [[nodiscard]] bool covers(size_t layer, const Rect& cell) const {
    return layers_[layer].alpha != 0 && layers_[layer].destination.contains(cell);
  }
  [[nodiscard]] bool isSolid(int id) const {
    if (id < 0) return true;
    const Layer& layer = layers_[static_cast<size_t>(id)];
    return layer.opaque && layer.alpha == 0xffff;
  }
  /** From the front to the first opaque one. */
  [[nodiscard]] std::vector<int> cut(std::vector<int> fromFront) const {
    const auto solid = std::ranges::find_if(fromFront, [this](int id) { return isSolid(id); });
    if (solid != fromFront.end()) fromFront.erase(solid + 1, fromFront.end());
    return fromFront;
  }
  [[nodiscard]] std::vector<int> listed(const Rect& cell) const {
    std::vector<int> ids;
    for (size_t i = layers_.size(); i-- > 0;) {
      if (covers(i, cell)) ids.push_back(static_cast<int>(i));
    }
    ids.push_back(background);
    return cut(ids);
  }
  /** What a composed buffer has in a cell, from the front. */
  [[nodiscard]] std::vector<int> drawn(const FramePlan& plan, const ComposedBuffer& buffer, const Rect& cell) const {
    std::vector<int> ids;
    if (buffer.bottom) ids.push_back(background);
    for (size_t i = 0; i < layers_.size(); ++i) {
      const LayerOutcome& outcome = plan.layers[i];
      if (!covers(i, cell)) continue;
      if (outcome.path == Path::Plane) {
        if (outcome.position < buffer.position) ids.clear();
      } else if (i >= buffer.first && i < buffer.end) {
        ids.push_back(static_cast<int>(i));
      }
    }
    std::ranges::reverse(ids);
    return ids;
  }
  [[nodiscard]] std::vector<int> seen(const FramePlan& plan, const Rect& cell) const {
    std::vector<int> ids;
    for (int position = static_cast<int>(planes_.size()); position-- > 0;) {
      for (size_t i = 0; i < layers_.size(); ++i) {
        const LayerOutcome& outcome = plan.layers[i];
        if (outcome.path == Path::Plane && outcome.position == position && covers(i, cell)) {
          ids.push_back(static_cast<int>(i));
        }
      }
      for (const ComposedBuffer& buffer : plan.composed()) {
        if (buffer.position != position) continue;
        const std::vector<int> content = drawn(plan, buffer, cell);
        ids.insert(ids.end(), content.begin(), content.end());
      }
    }
    ids.push_back(nothing);
    return cut(ids);
  }

  /** Whether positions are what the planes' zpos make of it, each plane at most once and within its range. */
  [[nodiscard]] std::string stackFault(const FramePlan& plan) const {
    struct Used {
      uint32_t zpos;
      uint32_t planeId;
      uint8_t position;
    };
    std::vector<Used> used;
    for (const ComposedBuffer& buffer : plan.composed())
      used.push_back({buffer.zpos, buffer.planeId, buffer.position});
    for (const LayerOutcome& outcome : plan.layers) {
      if (outcome.path == Path::Plane) used.push_back({outcome.zpos, outcome.planeId, outcome.position});
    }
    std::ranges::sort(used, {}, [](const Used& one) { return std::pair(one.zpos, one.planeId); });
    for (size_t i = 0; i < used.size(); ++i) {
      const auto plane = std::ranges::find(planes_, used[i].planeId, &Plane::id);
      if (plane == planes_.end()) return "no plane " + std::to_string(used[i].planeId);
      if (used[i].zpos < plane->zpos.minimum || used[i].zpos > plane->zpos.maximum) return "zpos outside the range";
      if (used[i].position != i) return "positions differ from zpos";
      if (i > 0 && used[i].planeId == used[i - 1].planeId) return "a plane used twice";
    }
    return {};
  }

  std::span<const Plane> planes_;
  std::span<const Layer> layers_;
  Rect screen_;
  std::vector<Rect> cells_;
};

} // namespace vitrine::test
