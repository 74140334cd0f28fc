#include "tests/unit/plane_scenes.h"

#include "protected-path/planes/layer_fit.h"
#include "tests/unit/plane_builder.h"

namespace vitrine::test {

Board randomBoard(Random& random, int count) {
  Board board{.name = "random"};
  const int primaryAt = random.oneIn(2) ? random.upTo(count - 1) : 0;
  for (int i = 0; i < count; ++i) {
    const auto place = static_cast<uint32_t>(i);
    Plane plane = i == primaryAt ? makePrimary(place) : makeOverlay(100 + place, place);
    if (i == count - 1 && i != primaryAt && random.oneIn(3)) {
      plane.type = PlaneType::Cursor;
      if (random.oneIn(2)) plane = makeCursor(place);
    }
    if (i != primaryAt && random.oneIn(4)) plane.formats = {{DRM_FORMAT_NV12, DRM_FORMAT_MOD_LINEAR}};
    if (random.oneIn(2)) giveAlpha(plane);
    BoardRules::OfPlane rules{.planeId = plane.id};
    if (random.oneIn(2)) rules.leastScale = 0.25, rules.mostScale = 8;
    const bool isCursorOnly = plane.id == cursorId; // of those none takes more
    if (plane.type == PlaneType::Cursor && (random.oneIn(2) || isCursorOnly))
      rules.sizes = {{64, 64}, {128, 128}, {256, 256}};
    board.rules.planes.push_back(rules);
    board.planes.push_back(plane);
  }
  if (random.oneIn(3)) {
    for (Plane& plane : board.planes)
      plane.zpos = {static_cast<uint32_t>(random.upTo(1)), static_cast<uint32_t>(1 + random.upTo(4))};
  }
  if (random.oneIn(4)) board.rules.mostPlanes = 1 + static_cast<unsigned>(random.upTo(2));
  if (random.oneIn(4)) board.rules.mostScaled = static_cast<unsigned>(random.upTo(2));
  if (random.oneIn(4)) board.rules.mostYuv = 1;
  if (random.oneIn(4)) board.rules.mostBandwidth = 1 + random.upTo(3);
  board.rules.primaryNeeded = true; // this planner never turns the primary off
  board.output = makeOutput();
  if (random.oneIn(2)) {
    board.output.upperFourcc = DRM_FORMAT_ARGB8888;
    board.output.upperModifier = DRM_FORMAT_MOD_LINEAR;
  }
  return board;
}

Layer randomLayer(Random& random, uint64_t id) {
  const Rect where{random.upTo(1700), random.upTo(900), 40 + random.upTo(1000), 40 + random.upTo(600)};
  Layer layer = random.oneIn(6) ? makeVideo(id, whole) : makeVideo(id, where);
  constexpr std::array<double, 3> rates = {0, 5, 60}; // as the display list has them
  layer.changesPerSecond = rates.at(static_cast<size_t>(random.upTo(2)));
  if (random.oneIn(2)) layer.fourcc = random.oneIn(2) ? DRM_FORMAT_ARGB8888 : DRM_FORMAT_XRGB8888;
  if (layer.fourcc == DRM_FORMAT_ARGB8888) layer.opaque = random.oneIn(3);
  if (random.oneIn(8)) layer.alpha = 0x4000;
  if (random.oneIn(5)) layer.composeRefusal = Refusal::GpuNoProtectedMemory;
  if (random.oneIn(5)) layer.planeRefusal = Refusal::PlaneNotDmabuf;
  if (random.oneIn(5))
    layer.source = SourceRect::whole({layer.bufferSize.width / 2 + 1, layer.bufferSize.height / 2 + 1});
  if (random.oneIn(6)) {
    layer.destination.width = layer.destination.height = 64;
    layer.bufferSize = {64, 64};
    layer.source = SourceRect::whole(layer.bufferSize);
  }
  return layer;
}

std::vector<std::pair<const char*, std::vector<Layer>>> namedScenes() {
  const auto with = [](Layer layer, auto change) {
    change(layer);
    return layer;
  };
  const auto scaled = [](Layer& l) { l.source = SourceRect::whole({l.bufferSize.width / 2, l.bufferSize.height / 2}); };
  const auto game = [](Layer& l) { l.fourcc = DRM_FORMAT_XRGB8888, l.changesPerSecond = 60; };
  const Layer desktop = with(makeShm(1, whole), [](Layer& l) { l.opaque = true; });
  const Layer arrow = makePanel(9, pointer);
  const Layer badge = with(makePanel(8, {40, 40, 300, 80}), [](Layer& l) { l.changesPerSecond = 5; });
  const Layer controls = makeShm(7, strip);
  return {
      {"protected fullscreen video", {makeProtected(2, whole)}},
      {"protected fullscreen video, badge, pointer", {makeProtected(2, whole), badge, arrow}},
      {"protected fullscreen video, controls in shm", {makeProtected(2, whole), controls}},
      {"protected fullscreen video scaled, controls in shm, pointer",
       {with(makeProtected(2, whole), scaled), controls, arrow}},
      {"protected window", {desktop, makeProtected(2, box)}},
      {"protected window, pointer", {desktop, makeProtected(2, box), arrow}},
      {"protected window, controls in shm", {desktop, makeProtected(2, box), controls}},
      {"protected window scaled, controls in shm, pointer",
       {desktop, with(makeProtected(2, box), scaled), controls, arrow}},
      {"two protected windows", {desktop, makeProtected(2, box), makeProtected(3, {1500, 100, 300, 300})}},
      {"game fullscreen, badge, pointer", {with(makeVideo(2, whole), game), badge, arrow}},
      {"video and game, pointer", {desktop, makeVideo(2, box), with(makeVideo(3, {1500, 100, 300, 300}), game), arrow}},
      {"video, panel above", {desktop, makeVideo(2, box), badge, controls}},
  };
}

std::vector<Rect> visibleBoxes(const Board& board, std::span<const Layer> layers) {
  const Rect screen{0, 0, static_cast<int32_t>(board.output.size.width),
                    static_cast<int32_t>(board.output.size.height)};
  std::vector<Rect> boxes;
  for (size_t i = 0; i < layers.size(); ++i) {
    Rect visible = layers[i].alpha == 0 ? Rect{} : intersect(layers[i].destination, screen);
    for (const Layer& other : layers.subspan(i + 1)) {
      if (other.opaque && other.alpha == 0xffff && other.destination.contains(visible)) visible = {};
    }
    boxes.push_back(visible);
  }
  return boxes;
}

Worth worthOf(std::span<const Layer> layers, std::span<const Rect> visible, const FramePlan& plan) {
  Worth worth;
  for (size_t i = 0; i < layers.size(); ++i) {
    if (plan.layers[i].path != Path::Plane || visible[i].empty()) continue;
    worth.mandatory += isMandatory(layers[i]) ? 1 : 0;
    worth.saved += static_cast<double>(visible[i].width) * visible[i].height * layers[i].changesPerSecond;
  }
  return worth;
}

std::string describe(const Board& board, std::span<const Layer> layers, const FramePlan& plan) {
  std::string text = board.name + ":";
  for (const Plane& plane : board.planes)
    text += " " + std::to_string(plane.id) + "[" + std::to_string(plane.zpos.minimum) + ".." +
            std::to_string(plane.zpos.maximum) + "]";
  text += "\n";
  for (size_t i = 0; i < layers.size(); ++i) {
    const Rect& where = layers[i].destination;
    text += "  " + fourccName(layers[i].fourcc) + " " + std::to_string(where.width) + "x" +
            std::to_string(where.height) + "+" + std::to_string(where.x) + "+" + std::to_string(where.y) + " rate " +
            std::to_string(layers[i].changesPerSecond) + (isMandatory(layers[i]) ? " mandatory" : "") +
            (layers[i].opaque ? " opaque" : "") + (needsScaling(layers[i]) ? " scaled" : "") +
            (layers[i].planeRefusal != Refusal::None ? " shm" : "") + " -> " + std::to_string(plan.layers[i].planeId) +
            "\n";
  }
  for (const ComposedBuffer& one : plan.composed())
    text += "  composed " + std::to_string(one.first) + ".." + std::to_string(one.end) + " -> " +
            std::to_string(one.planeId) + "\n";
  return text;
}

} // namespace vitrine::test
