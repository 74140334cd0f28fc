#include "tests/leak/scene.h"

#include <format>

#include "tests/unit/vulkan_interposer.h"

namespace vitrine::test {
namespace {

/**
 * An integer from `low` to `high`. Equal seeds give equal numbers on every machine, unlike the distributions of
 * <random>.
 */
int pick(std::mt19937& random, int low, int high) {
  return low + static_cast<int>(random() % static_cast<unsigned>(high - low + 1));
}

bool chance(std::mt19937& random, int percent) {
  return pick(random, 0, 99) < percent;
}

LeakLayer randomLayer(std::mt19937& random, int extent) {
  LeakLayer layer;
  // Protected content is the most frequent.
  constexpr LeakLayer::Content contents[] = {LeakLayer::Content::Solid,     LeakLayer::Content::Upload,
                                             LeakLayer::Content::Ordinary,  LeakLayer::Content::ClaimedOrdinary,
                                             LeakLayer::Content::Protected, LeakLayer::Content::Protected,
                                             LeakLayer::Content::Protected, LeakLayer::Content::Protected};
  layer.content = contents[pick(random, 0, static_cast<int>(std::size(contents)) - 1)];
  layer.buffer = static_cast<unsigned>(pick(random, 0, 2));
  layer.destination = {pick(random, -extent / 2, extent - 1), pick(random, -extent / 2, extent - 1),
                       pick(random, 1, extent + extent / 2), pick(random, 1, extent + extent / 2)};
  if (chance(random, 15)) layer.destination = {0, 0, extent, extent};
  layer.source = {pick(random, 0, 60), pick(random, 0, 60), 4, 4};
  layer.source.width = pick(random, 4, 64 - layer.source.x);
  layer.source.height = pick(random, 4, 64 - layer.source.y);
  if (chance(random, 50)) layer.source = {0, 0, 64, 64};
  if (chance(random, 50)) layer.transform = static_cast<Transform>(pick(random, 0, 7));
  if (chance(random, 30)) layer.alpha = static_cast<float>(pick(random, 40, 100)) / 100;
  layer.nearest = chance(random, 20);
  return layer;
}

/** Sets the properties of trees of surfaces. `index`: the number of surfaces before it. */
void randomPlace(std::mt19937& random, LeakLayer& layer, int index) {
  if (chance(random, 60)) layer.parent = pick(random, -1, index - 1);
  layer.popup = chance(random, 30);
  layer.below = chance(random, 25);
  layer.desync = chance(random, 40);
  layer.fullscreen = chance(random, 10);
  layer.claimed = chance(random, 50);
  layer.late = chance(random, 20);
  if (chance(random, 15)) layer.acquire = static_cast<LeakLayer::Acquire>(pick(random, 1, 4));
  // Display controllers without a scaler, such as the platform's, can show only this on a plane.
  if (chance(random, 25)) {
    layer.source = {0, 0, 64, 64};
    layer.destination.width = layer.destination.height = 64;
  }
}

LeakFault randomFault(std::mt19937& random) {
  constexpr VkResult results[] = {VK_ERROR_OUT_OF_DEVICE_MEMORY, VK_ERROR_OUT_OF_HOST_MEMORY,
                                  VK_ERROR_INVALID_EXTERNAL_HANDLE, VK_ERROR_DEVICE_LOST};
  return {failingCalls[pick(random, 0, static_cast<int>(std::size(failingCalls)) - 1)],
          results[pick(random, 0, static_cast<int>(std::size(results)) - 1)],
          static_cast<unsigned>(pick(random, 0, 3))};
}

LeakFrame randomFrame(std::mt19937& random, int extent) {
  LeakFrame frame;
  const int count = pick(random, 1, 5);
  for (int i = 0; i < count; ++i) {
    frame.layers.push_back(randomLayer(random, extent));
    randomPlace(random, frame.layers.back(), i);
  }
  if (chance(random, 15)) frame.rule = OutputRule::Deny;
  frame.planeVerdicts = chance(random, 40) ? 0 : static_cast<uint32_t>(random());
  frame.commitFails = chance(random, 15);
  frame.capture = chance(random, 50);
  frame.poolExhausted = chance(random, 10);
  frame.later = chance(random, 25);
  if (chance(random, 20)) frame.fault = randomFault(random);
  return frame;
}

const char* nameOf(LeakLayer::Content content) {
  constexpr const char* names[] = {"solid", "upload", "ordinary", "claimed", "protected"};
  return names[static_cast<size_t>(content)];
}

const char* nameOf(LeakLayer::Acquire acquire) {
  constexpr const char* names[] = {"", " acquire=signalled", " acquire=announced", " acquire=running",
                                   " acquire=never"};
  return names[static_cast<size_t>(acquire)];
}

std::string describe(const Rect& box) {
  return std::format("{}x{}+{}+{}", box.width, box.height, box.x, box.y);
}

} // namespace

LeakScene randomScene(std::mt19937& random, int extent) {
  LeakScene scene;
  for (int count = pick(random, 1, 4); count > 0; --count)
    scene.push_back(randomFrame(random, extent));
  return scene;
}

std::string describe(const LeakScene& scene) {
  std::string text;
  for (const LeakFrame& frame : scene) {
    text += std::format("frame rule={} verdicts={:x}{}{}{}{}", static_cast<int>(frame.rule), frame.planeVerdicts,
                        frame.commitFails ? " commit-fails" : "", frame.capture ? " capture" : "",
                        frame.poolExhausted ? " pool-exhausted" : "", frame.later ? " later" : "");
    if (frame.fault.function != nullptr) {
      text += std::format(" fault={}:{} after {}", frame.fault.function, static_cast<int>(frame.fault.result),
                          frame.fault.skip);
    }
    text += '\n';
    for (const LeakLayer& layer : frame.layers) {
      text += std::format("  {} {} at {} from {} transform={} alpha={:.2f}{}\n", nameOf(layer.content), layer.buffer,
                          describe(layer.destination), describe(layer.source), static_cast<int>(layer.transform),
                          layer.alpha, layer.nearest ? " nearest" : "");
      text.pop_back();
      if (layer.parent >= 0) {
        text += std::format(" {}{} #{}", layer.popup ? "popup " : "", layer.below ? "below" : "above", layer.parent);
      }
      text += std::format("{}{}{}{}{}\n", layer.desync ? " desync" : "", layer.fullscreen ? " fullscreen" : "",
                          layer.claimed ? " claimed" : "", layer.late ? " late" : "", nameOf(layer.acquire));
    }
  }
  return text;
}

namespace {

/** Removes a surface. Its subsurfaces move to its parent. */
void removeLayer(std::vector<LeakLayer>& layers, size_t index) {
  const int gone = static_cast<int>(index);
  const int parent = layers[index].parent;
  layers.erase(layers.begin() + gone);
  for (LeakLayer& layer : layers) {
    if (layer.parent == gone)
      layer.parent = parent;
    else if (layer.parent > gone)
      layer.parent -= 1;
  }
}

/** The candidates of one step of reduction, the largest reduction first. */
std::vector<LeakScene> smaller(const LeakScene& scene) {
  std::vector<LeakScene> tries;
  const auto without = [&](auto change) {
    LeakScene copy = scene;
    change(copy);
    tries.push_back(std::move(copy));
  };
  for (size_t i = 0; i < scene.size() && scene.size() > 1; ++i)
    without([i](LeakScene& copy) { copy.erase(copy.begin() + static_cast<ptrdiff_t>(i)); });
  for (size_t i = 0; i < scene.size(); ++i) {
    for (size_t j = 0; j < scene[i].layers.size(); ++j) {
      without([i, j](LeakScene& copy) { removeLayer(copy[i].layers, j); });
    }
    if (scene[i].fault.function != nullptr) without([i](LeakScene& copy) { copy[i].fault = {}; });
    if (scene[i].commitFails) without([i](LeakScene& copy) { copy[i].commitFails = false; });
    if (scene[i].capture) without([i](LeakScene& copy) { copy[i].capture = false; });
    if (scene[i].poolExhausted) without([i](LeakScene& copy) { copy[i].poolExhausted = false; });
    if (scene[i].later) without([i](LeakScene& copy) { copy[i].later = false; });
    if (scene[i].planeVerdicts != 0) without([i](LeakScene& copy) { copy[i].planeVerdicts = 0; });
    for (size_t j = 0; j < scene[i].layers.size(); ++j) {
      const LeakLayer& layer = scene[i].layers[j];
      if (layer.transform != Transform::Normal) {
        without([i, j](LeakScene& copy) { copy[i].layers[j].transform = Transform::Normal; });
      }
      if (layer.alpha < 1) without([i, j](LeakScene& copy) { copy[i].layers[j].alpha = 1; });
      if (layer.source != Rect{0, 0, 64, 64}) {
        without([i, j](LeakScene& copy) { copy[i].layers[j].source = {0, 0, 64, 64}; });
      }
      if (layer.acquire != LeakLayer::Acquire::None) {
        without([i, j](LeakScene& copy) { copy[i].layers[j].acquire = LeakLayer::Acquire::None; });
      }
      for (bool LeakLayer::* flag : {&LeakLayer::popup, &LeakLayer::below, &LeakLayer::desync, &LeakLayer::fullscreen,
                                     &LeakLayer::claimed, &LeakLayer::late, &LeakLayer::nearest}) {
        if (layer.*flag) without([i, j, flag](LeakScene& copy) { copy[i].layers[j].*flag = false; });
      }
    }
  }
  return tries;
}

} // namespace

LeakScene shrink(LeakScene scene, const std::function<bool(const LeakScene&)>& fails) {
  int patience = 200; // some stages take a second for each
  for (bool shrunk = true; shrunk;) {
    shrunk = false;
    for (LeakScene& candidate : smaller(scene)) {
      if (patience-- == 0) return scene;
      if (!fails(candidate)) continue;
      scene = std::move(candidate);
      shrunk = true;
      break;
    }
  }
  return scene;
}

} // namespace vitrine::test
