#include "tests/board/display-test/catalogue.h"

#include <algorithm>

#include <fnmatch.h>

namespace vitrine::display_test {
namespace {

bool needsOneOf(const Case& one, const std::vector<std::string>& names) {
  for (unsigned bit = 0; bit < needCount; ++bit) {
    const auto need = static_cast<Need>(1U << bit);
    if ((one.needs & need) != 0 && std::ranges::contains(names, needName(need))) return true;
  }
  return false;
}

bool matches(const Case& one, const std::vector<std::string>& patterns) {
  const std::string name(one.name);
  return std::ranges::any_of(
      patterns, [&](const std::string& pattern) { return fnmatch(pattern.c_str(), name.c_str(), 0) == 0; });
}

} // namespace

std::span<const Group> groups() {
  static const std::array all = {
      Group{"map", "CPU kept out", "Can a process read a protected buffer, in any of the ways that the kernel has?",
            "the CPU cannot read them", "the CPU can read them", mapCases()},
      Group{"heap", "heap keeps rules",
            "Does the heap keep the rules of dma-buf heaps, and what evidence does it give?",
            "their heap keeps its rules", "their heap breaks its rules", heapCases()},
      Group{"tee", "TEE fills them", "Does the secure world fill protected buffers, and refuse what it must?",
            "the TEE fills them", "the TEE breaks its rules", teeCases()},
      Group{"kms", "display shows them",
            "Does the display show protected memory as it shows ordinary memory, and nothing after its end?",
            "the display shows them", "the display does not show them as it should", kmsCases()},
      Group{"vulkan", "GPU composes them", "Does the GPU read protected buffers, and draw into them and nowhere else?",
            "the GPU composes them", "the GPU does not compose them", vulkanCases()},
      Group{"leak", "content stays inside", "Is the content anywhere else after the secure world has written it?",
            "their content is nowhere else", "their content leaks", leakCases()},
      Group{"compositor", "compositor keeps it",
            "Does the Wayland compositor show protected content, and no capture of it?",
            "the compositor shows them and captures nothing of them", "the compositor does not treat them as it should",
            compositorCases()},
  };
  return all;
}

const Case* findCase(std::string_view name) {
  for (const Group& group : groups()) {
    const auto found = std::ranges::find(group.cases, name, &Case::name);
    if (found != group.cases.end()) return &*found;
  }
  return nullptr;
}

std::vector<const Case*> select(const Selection& selection) {
  std::vector<const Case*> selected;
  for (const Group& group : groups()) {
    if (!selection.groups.empty() && !std::ranges::contains(selection.groups, group.name)) continue;
    for (const Case& one : group.cases) {
      if (selection.safe && (one.disturbs & (FillsPool | MayHang)) != 0) continue;
      if (!selection.patterns.empty() && !matches(one, selection.patterns)) continue;
      if (!selection.needs.empty() && !needsOneOf(one, selection.needs)) continue;
      selected.push_back(&one);
    }
  }
  return selected;
}

} // namespace vitrine::display_test
