#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "protected-path/heap/heap_catalogue.h"
#include "tests/board/common/machine_facts.h"

namespace vitrine::display_test {

/** The TEE and what answers in it. */
struct TeeFacts {
  std::string node;           ///< empty: none
  std::string error;          ///< why it could not be asked, or did not answer
  std::string implementation; ///< `OP-TEE`, `simulated (Vitrine platform)`, or the id
  bool sdpBasic = false;
  std::string sdpBasicError;
  bool frameDecrypt = false;
  std::string frameDecryptError;
  bool dumps = false; ///< sdp_basic hands protected memory out
  std::string dumpError;
};

/** One Vulkan device. */
struct VulkanFacts {
  std::string name;
  std::string driver;
  std::string renderNode;
  bool software = false;
  bool importsDmabufs = false;
  bool protectedMemory = false;
};

/** One DRM device, as sysfs and the driver name it. */
struct DrmFacts {
  std::string node;                    ///< `/dev/dri/card0`
  std::string driver;                  ///< `vkms 1.0.0`; empty where the node may not be opened
  std::vector<std::string> connectors; ///< `eDP-1 connected`
};

/** This board as the cases need it: what there is, and for what there is not, why. */
struct Board {
  MachineFacts machine;
  std::string hostname;
  std::string operatingSystem; ///< PRETTY_NAME of os-release
  std::vector<DrmFacts> drm;
  std::vector<Heap> heaps;     ///< all
  std::vector<Heap> nominated; ///< those under test: the heap table calls them protected, or `--heap` does
  TeeFacts tee;
  std::vector<VulkanFacts> gpus;
  std::string card;                  ///< KMS device under test; empty: none
  std::string displayName;           ///< `vkms, eDP-1`
  std::string compositor;            ///< program that serves $WAYLAND_DISPLAY: `vitrine`; empty: none
  uint32_t met = 0;                  ///< needs (case.h) that this board meets
  std::array<std::string, 32> unmet; ///< by a need's bit: why it is not met
};

/** The object `board` of the report. */
void to_json(nlohmann::json& json, const Board& board);

/** What to look at. */
struct BoardWishes {
  std::vector<std::string>
      heaps;          ///< heaps to test besides, or instead of, those that the table nominates; empty: the table's
  std::string card;   ///< KMS node; empty: the first with a connected connector
  uint32_t needs = 0; ///< only what these needs ask for is looked at
  int stopFd = -1;
};

/**
 * Looks at the board. Each question to a device is asked in a child with a time limit: a TEE without its supplicant never answers,
 * and a GPU driver may crash. Allocates one page of the first nominated heap where a case needs NeedDump.
 */
[[nodiscard]] Board inspectBoard(const BoardWishes& wishes);

} // namespace vitrine::display_test
