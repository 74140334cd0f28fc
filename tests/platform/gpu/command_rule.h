#pragma once

#include "tests/platform/gpu/gpu_fixture.h"

// Rules of commands, which strike when what was recorded is submitted. Each is broken once, and once its legal twin runs
// under the validation layer, which fails the test if it speaks.

namespace vitrine::gpu::test {

/** For what the rules forbid in prose and no VUID names: the section's anchor in the specification. */
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

/** Records commands that write to a target of one of the worlds; all else is in the world of the commands. */
using RecordTo = std::function<void(Gpu& gpu, VkCommandBuffer commands, bool commandsProtected, bool targetProtected)>;

/** Both rules of a target: protected in unprotected commands, unprotected in protected ones. */
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

/** A way to begin a pass. */
struct PassKind {
  const char* name = "Pass";
  bool second = false; ///< vkCmdBeginRenderPass2 and vkCmdEndRenderPass2
  bool imageless = false;
};

void beginPass(VkCommandBuffer commands, const VkRenderPassBeginInfo& info, bool second,
               VkSubpassContents contents = VK_SUBPASS_CONTENTS_INLINE);
void endPass(VkCommandBuffer commands, bool second);

/** Runs `inside` within a pass into `target`. */
void inPass(Gpu& gpu, VkCommandBuffer commands, const PassKind& kind, const TestImage& target, VkRenderPass pass,
            const std::function<void()>& inside, VkSubpassContents contents = VK_SUBPASS_CONTENTS_INLINE);

/** A pass into a target, with `inside` recorded within; whatever it draws is white. */
void drawingPass(Gpu& gpu, VkCommandBuffer commands, bool targetProtected, const std::function<void()>& inside,
                 const PassKind& kind = {});

/** Records a query of nothing. */
VkQueryPool recordQuery(Gpu& gpu, VkCommandBuffer commands);

/** Binds the pipeline that draws white; for dynamic rendering without a pass. */
void bindWhite(Gpu& gpu, VkCommandBuffer commands, VkRenderPass pass);

} // namespace vitrine::gpu::test
