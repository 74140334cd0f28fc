#pragma once

#include "tests/platform/gpu/gpu_fixture.h"

// Rules of commands. A violation takes effect when the recorded commands are submitted. Each rule is broken once, and
// its legal twin runs once under the validation layer, any message of which fails the test.

namespace vitrine::gpu::test {

/** The section's anchor in the specification, for rules that it states as text without a VUID. */
inline constexpr const char* accessRules = "memory-protected-access-rules";

struct Command {
  std::string name;
  std::string rule;
  bool commandsProtected;
  std::function<void(Gpu& gpu, VkCommandBuffer commands, bool broken)> record;
};

inline void PrintTo(const Command& command, std::ostream* out) {
  *out << command.rule;
}

class Commands : public testing::TestWithParam<Command> {};

inline std::string nameOf(const testing::TestParamInfo<Command>& info) {
  return info.param.name;
}

/** Records commands that write to a protected or unprotected target. All other resources match the commands. */
using RecordTo = std::function<void(Gpu& gpu, VkCommandBuffer commands, bool commandsProtected, bool targetProtected)>;

/** The two rules of a target: not protected in unprotected commands, and not unprotected in protected commands. */
inline void addTarget(std::vector<Command>& list, const std::string& name, const std::string& protectedTarget,
                      const std::string& unprotectedTarget, const RecordTo& record) {
  list.push_back({name + "Target", protectedTarget, false,
                  [=](Gpu& gpu, VkCommandBuffer commands, bool broken) { record(gpu, commands, false, broken); }});
  list.push_back({name + "UnprotectedTarget", unprotectedTarget, true,
                  [=](Gpu& gpu, VkCommandBuffer commands, bool broken) { record(gpu, commands, true, !broken); }});
}

inline constexpr VkImageLayout general = VK_IMAGE_LAYOUT_GENERAL;

/** An image in GENERAL. */
TestImage prepared(Gpu& gpu, VkCommandBuffer commands, bool isProtected, VkFormat format = colorFormat,
                   VkSampleCountFlagBits samples = VK_SAMPLE_COUNT_1_BIT);

/** One way to begin a pass. */
struct PassKind {
  const char* name = "Pass";
  bool second = false; ///< vkCmdBeginRenderPass2 and vkCmdEndRenderPass2
  bool imageless = false;
};

void beginPass(VkCommandBuffer commands, const VkRenderPassBeginInfo& info, bool second,
               VkSubpassContents contents = VK_SUBPASS_CONTENTS_INLINE);
void endPass(VkCommandBuffer commands, bool second);

/** Begins a pass into `target`, calls `inside`, and ends the pass. */
void inPass(Gpu& gpu, VkCommandBuffer commands, const PassKind& kind, const TestImage& target, VkRenderPass pass,
            const std::function<void()>& inside, VkSubpassContents contents = VK_SUBPASS_CONTENTS_INLINE);

/** A pass into a target with `inside` recorded in it. Draws are white. */
void drawingPass(Gpu& gpu, VkCommandBuffer commands, bool targetProtected, const std::function<void()>& inside,
                 const PassKind& kind = {});

/** Records an empty query. */
VkQueryPool recordQuery(Gpu& gpu, VkCommandBuffer commands);

/** Binds the pipeline that draws white, made for dynamic rendering (without a pass). */
void bindWhite(Gpu& gpu, VkCommandBuffer commands, VkRenderPass pass);

} // namespace vitrine::gpu::test
