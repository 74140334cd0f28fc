#include "protected-path/heap/builtin_rules.h"

namespace vitrine {
namespace {

constexpr HeapClass P = HeapClass::Protected;
constexpr HeapClass W = HeapClass::ProtectedWorking;
constexpr HeapClass O = HeapClass::Ordinary;
constexpr HeapClass U = HeapClass::Unknown;

constexpr const char* mainline = "Linux drivers/tee/tee_heap.c";
constexpr const char* mainlineDocs = "Linux Documentation/userspace-api/dma-buf-heaps.rst";
constexpr const char* opteeTest = "optee_test host/xtest/sdp_basic.h before 2025-03";
constexpr const char* mediatekRfc = "MediaTek restricted heap RFC, linux-mediatek 2023-09 to 2024-05";
constexpr const char* mediatekVendor = "MediaTek vendor kernel, drivers/dma-buf/heaps/mtk_sec_heap.c";
constexpr const char* qualcomm = "Qualcomm vendor kernel, drivers/dma-buf/heaps/qcom_dma_heap.c";
constexpr const char* pixel = "Google gchips gralloc4, mali_gralloc_ion.cpp; dri-devel 2023 (TJ Mercier)";
constexpr const char* samsung = "Samsung vendor kernel, drivers/dma-buf/heaps/samsung/secure_buffer.c";
constexpr const char* android = "Android Codec2, buffers with READ_PROTECTED";
constexpr const char* amlogic = "Amlogic gralloc";
constexpr const char* tegra = "NVIDIA Tegra VPR series, dri-devel 2026 (named by the device tree's node)";
constexpr const char* moduleName = "exp_name of a Linux driver (KBUILD_MODNAME)";
constexpr const char* drmPrime = "Linux drivers/gpu/drm/drm_prime.c: most DRM drivers export under DRM's own name";
constexpr const char* namingRule = "naming rule of Linux Documentation/userspace-api/dma-buf-heaps.rst";
constexpr const char* habit = "what vendors' names have in common";
constexpr const char* denial = "a name that says what it is not: no rule below may take it for protected";

constexpr BuiltinRule rules[] = {
    // Mainline's protected heaps. Their buffers' exp_name is not the heap's but the module's.
    {"tee", P, mainline},
    {"protected,secure-video", P, mainline},
    {"protected,secure-video-record", P, mainline},
    {"protected,trusted-ui", P, mainline},
    {"sdp", P, opteeTest},

    {"restricted_mtk_cma", P, mediatekRfc},
    {"restricted_mtk_cm", W, mediatekRfc},
    {"mtk_svp", P, mediatekRfc},
    {"mtk_svp_region-uncached", P, mediatekVendor},
    {"mtk_svp_page-uncached", P, mediatekVendor},
    {"mtk_svp_region-aligned", P, mediatekVendor},
    {"mtk_prot_region-uncached", P, mediatekVendor},
    {"mtk_prot_page-uncached", P, mediatekVendor},
    {"mtk_prot_region-aligned", P, mediatekVendor},
    {"mtk_2d_fr-uncached", P, mediatekVendor},
    {"mtk_wfd-uncached", P, mediatekVendor},
    {"mtk_wfd_page-uncached", P, mediatekVendor},
    {"mtk_wfd_region-aligned", P, mediatekVendor},
    {"mtk_sapu_data_shm-uncached", W, mediatekVendor},
    {"mtk_sapu_engine_shm-uncached", W, mediatekVendor},

    {"qcom,secure-pixel", P, qualcomm},
    {"qcom,demura", P, qualcomm},
    {"qcom,secure-non-pixel", W, qualcomm},
    {"qcom,secure-cdsp", W, qualcomm},
    {"qcom,qseecom", W, qualcomm},
    {"qcom,qseecom-ta", W, qualcomm},

    {"vframe-secure", P, pixel},
    {"vstream-secure", P, pixel},
    {"vscaler-secure", P, pixel},
    {"framebuffer-secure", P, pixel},
    {"tui-secure", P, pixel},
    {"faceauth_tpu-secure", W, pixel},
    {"faimg-secure", W, pixel},
    {"farawimg-secure", W, pixel},
    {"faprev-secure", W, pixel},
    {"faeval-secure", W, pixel},
    {"famodel-secure", W, pixel},

    {"system-secure-vframe-secure", P, samsung},
    {"system-secure-gpu_buffer-secure", P, samsung},
    {"mfc_fw-secure", W, samsung},

    {"system-secure", P, android},
    {"heap-secure", P, amlogic},
    {"heap-secure-codecmm", P, amlogic},
    {"system-secure-uncached", P, amlogic},

    // Heaps of plain memory
    {"system", O, mainlineDocs},
    {"system_cc_shared", O, mainlineDocs},
    {"default_cma_region", O, mainlineDocs},
    {"reserved", O, mainlineDocs},
    {"linux,cma", O, mainlineDocs},
    {"default-pool", O, mainlineDocs},
    {"system-uncached", O, "Android common kernel, system_heap.c"},
    {"heap-gfx", O, amlogic},
    {"heap-fb", O, amlogic},
    {"heap-codecmm", O, amlogic},
    {"heap-cached-codecmm", O, amlogic},

    // Exporters that are no heap. A GPU's encrypted buffers (AMD TMZ, Intel PXP) carry these names too: a name cannot
    // show
    // them, only their user's claim can.
    {"drm", O, drmPrime},
    {"drm_kms_helper", O, drmPrime},
    {"udmabuf", O, "Linux drivers/dma-buf/udmabuf.c"},
    {"i915", O, moduleName},
    {"amdgpu", O, moduleName},
    {"xe", O, moduleName},
    {"nouveau", O, moduleName},
    {"vkms", O, moduleName},
    {"vgem", O, moduleName},
    {"msm", O, moduleName},
    {"panfrost", O, moduleName},
    {"panthor", O, moduleName},
    {"etnaviv", O, moduleName},
    {"lima", O, moduleName},
    {"v3d", O, moduleName},
    {"vc4", O, moduleName},
    {"virtio_gpu", O, moduleName},
    {"vmwgfx", O, moduleName},
    {"armada", O, moduleName},
    {"omapdrm", O, moduleName},
    {"tegra_drm", O, moduleName},
    {"nvidia_drm", O, moduleName},
    {"videobuf2_dma_contig", O, moduleName},
    {"videobuf2_dma_sg", O, moduleName},
    {"videobuf2_vmalloc", O, moduleName},
    {"xen_gntdev", O, moduleName},

    // Patterns, after every exact name
    {"*insecure*", U, denial},
    {"*unsecure*", U, denial},
    {"*nonsecure*", U, denial},
    {"*non-secure*", U, denial},
    {"*non_secure*", U, denial},
    {"*unprotected*", U, denial},
    {"*unrestricted*", U, denial},
    {"protected", P, namingRule},
    {"protected,*", P, namingRule},
    {"*_fw-secure", W, samsung},
    {"fa*-secure", W, pixel},
    {"qcom,qseecom*", W, qualcomm},
    {"qcom,*non-pixel*", W, qualcomm},
    {"qcom,*cdsp*", W, qualcomm},
    {"mtk_sapu*", W, mediatekVendor},
    {"mtk_svp*", P, mediatekVendor},
    {"mtk_prot*", P, mediatekVendor},
    {"*video-protection-region*", P, tegra},
    {"vpr", P, tegra},
    {"vpr-*", P, tegra},
    {"vpr@*", P, tegra},
    {"restricted*", P, habit},
    {"*,restricted-heap*", P, "Linaro RFC 2024 (device tree compatible linaro,restricted-heap)"},
    {"*-secure", P, habit},
    {"*secure*", P, habit},
};

} // namespace

std::span<const BuiltinRule> builtinRules() {
  return rules;
}

} // namespace vitrine
