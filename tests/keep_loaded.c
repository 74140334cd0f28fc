/*
 * Linked into everything that is built with AddressSanitizer: a loaded library is never unloaded. So a leak report names the
 * library of a block, also for drivers that the Vulkan loader unloads. tests/lsan-suppressions.txt needs these names.
 */
int dlclose(void *handle);

extern const int vitrine_keep_loaded;
const int vitrine_keep_loaded = 1; /* what the linker is told to look for */

int dlclose(void *handle)
{
	(void)handle;
	return 0;
}
