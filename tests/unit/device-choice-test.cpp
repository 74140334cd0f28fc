#include <gtest/gtest.h>

#include <algorithm>

#include "protected-path/render/vulkan/physical_device.h"

// Which of several GPUs composes, by table. What a device says of itself is renderer-protected-test's.

namespace vitrine::vulkan {
namespace {

constexpr bool isProtected = true;
constexpr bool ordinary = false;

PhysicalDevice device(const char* name, VkPhysicalDeviceType type, bool protectedMemory, const char* lack = nullptr) {
  PhysicalDevice made;
  made.type = type;
  made.report.name = name;
  made.report.gpu = {true, true, protectedMemory};
  if (lack != nullptr) made.report.missingExtensions.emplace_back(lack);
  return made;
}

const PhysicalDevice discrete = device("discrete", VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU, ordinary);
const PhysicalDevice integrated = device("integrated", VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU, ordinary);
const PhysicalDevice virtualGpu = device("virtual", VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU, ordinary);
const PhysicalDevice software = device("software", VK_PHYSICAL_DEVICE_TYPE_CPU, ordinary);
const PhysicalDevice other = device("other", VK_PHYSICAL_DEVICE_TYPE_OTHER, ordinary);
const PhysicalDevice glass = device("glass", VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU, isProtected);
const PhysicalDevice softGlass = device("soft glass", VK_PHYSICAL_DEVICE_TYPE_CPU, isProtected);
const PhysicalDevice brokenGlass =
    device("broken glass", VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU, isProtected, "VK_EXT_external_memory_dma_buf");

constexpr dev_t displayNode = 0xe200;

/** The GPU that the display belongs to. */
PhysicalDevice ofTheDisplay(PhysicalDevice device) {
  device.report.name = "display's " + device.report.name;
  device.primaryNode = displayNode;
  return device;
}

struct Case {
  const char* why;
  std::vector<PhysicalDevice> devices;
  const char* chosen;
  const char* only = ""; ///< Renderer::Options::deviceName
};

TEST(DeviceChoice, ByTableWhateverTheOrder) {
  const Case cases[] = {
      {"the only one", {software}, "software"},
      {"protected memory before none", {glass, integrated}, "glass"},
      {"protected memory before speed", {softGlass, discrete}, "soft glass"},
      {"protected both, then speed", {softGlass, glass}, "glass"},
      {"what cannot compose is no choice", {brokenGlass, software}, "software"},
      {"the display's own before a faster one", {ofTheDisplay(discrete), integrated}, "display's discrete"},
      {"the display's own, even if slow", {ofTheDisplay(virtualGpu), discrete}, "display's virtual"},
      {"protected memory before the display's own", {glass, ofTheDisplay(discrete)}, "glass"},
      {"integrated first", {discrete, integrated, virtualGpu, software, other}, "integrated"},
      {"then discrete", {discrete, virtualGpu, software, other}, "discrete"},
      {"then virtual", {virtualGpu, software, other}, "virtual"},
      {"then software", {software, other}, "software"},
      {"the one that is asked for", {glass, discrete, software}, "software", "soft"},
      {"the best of those asked for", {glass, softGlass, discrete}, "glass", "glass"}};
  for (const Case& one : cases) {
    auto devices = one.devices;
    const auto byName = [](const PhysicalDevice& a, const PhysicalDevice& b) { return a.report.name < b.report.name; };
    std::ranges::sort(devices, byName);
    do {
      const auto chosen = choosePhysicalDevice(devices, one.only, displayNode);
      ASSERT_TRUE(chosen) << one.why << ": " << chosen.error().text();
      EXPECT_EQ(chosen->report.name, one.chosen) << one.why << ", the first being " << devices[0].report.name;
    } while (std::ranges::next_permutation(devices, byName).found);
  }
}

TEST(DeviceChoice, AmongEqualsTheFirst) {
  const PhysicalDevice twin = device("twin", VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU, isProtected);
  EXPECT_EQ(choosePhysicalDevice({software, glass, twin}, "")->report.name, "glass");
  EXPECT_EQ(choosePhysicalDevice({software, twin, glass}, "")->report.name, "twin");
}

TEST(DeviceChoice, WithoutOneEachIsListedWithWhatItLacks) {
  const auto none = choosePhysicalDevice({}, "");
  ASSERT_FALSE(none);
  EXPECT_EQ(refusalOf(none.error(), Refusal::None), Refusal::GpuAbsent);
  EXPECT_TRUE(none.error().text().contains("no Vulkan device")) << none.error().text();
  const auto refused = choosePhysicalDevice({brokenGlass, software}, "glass");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refusalOf(refused.error(), Refusal::None), Refusal::GpuAbsent);
  const std::string words = "broken glass lacks VK_EXT_external_memory_dma_buf; software is not `glass`";
  EXPECT_TRUE(refused.error().text().contains(words)) << refused.error().text();
}

} // namespace
} // namespace vitrine::vulkan
