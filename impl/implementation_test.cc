// The door: what is loaded, what is refused, and with which words.
#include "implementation.h"

#include <gtest/gtest.h>

#include <fstream>

namespace cancelsafe {
namespace {

TEST(ImplementationTest, BuiltInProvidesEverything) {
  EXPECT_EQ(kEntryPointCount, ProvidedEntryPoints(BuiltInImplementation()));
  EXPECT_EQ(23, kEntryPointCount);
  EXPECT_EQ(0, ProvidedEntryPoints(Implementation()));
}

TEST(ImplementationTest, ReferenceProvidesEverythingAndIsAnother) {
  Implementation reference;
  std::string error;
  ASSERT_TRUE(LoadImplementation(CANCELSAFE_REFERENCE_PATH, &reference, &error)) << error;
  EXPECT_EQ(kEntryPointCount, ProvidedEntryPoints(reference));
#define CANCELSAFE_EXPECT_OTHER(type, name, parameters) \
  EXPECT_NE(BuiltInImplementation().name, reference.name) << #name;
  CANCELSAFE_ENTRY_POINTS(CANCELSAFE_EXPECT_OTHER)
}

TEST(ImplementationTest, MissingRoutinesAreNull) {
  Implementation partial;
  std::string error;
  ASSERT_TRUE(LoadImplementation(CANCELSAFE_PARTIAL_PATH, &partial, &error)) << error;
  EXPECT_EQ(1, ProvidedEntryPoints(partial));
  EXPECT_NE(nullptr, partial.KeInsertDeviceQueue);
}

TEST(ImplementationTest, MissingFileIsRefusedAndLeavesTheTable) {
  Implementation table = BuiltInImplementation();
  std::string error;
  EXPECT_FALSE(LoadImplementation("no-such-guest.so", &table, &error));
  EXPECT_NE(std::string::npos, error.find("no-such-guest.so")) << error;
  EXPECT_EQ(kEntryPointCount, ProvidedEntryPoints(table));
}

TEST(ImplementationTest, TextFileIsRefused) {
  const std::string path = testing::TempDir() + "cancelsafe_not_an_object.so";
  std::ofstream(path) << "not an object, but long enough to be looked at as one "
                         "by a loader that reads the first sixty-four bytes\n";
  Implementation table;
  std::string error;
  EXPECT_FALSE(LoadImplementation(path, &table, &error));
  EXPECT_NE("", error);
  std::remove(path.c_str());
}

TEST(ImplementationTest, LibraryWithoutTheRoutinesIsRefused) {
  Implementation table;
  std::string error;
  EXPECT_FALSE(LoadImplementation(CANCELSAFE_EMPTY_PATH, &table, &error));
  EXPECT_NE(std::string::npos, error.find("none of the documented routines")) << error;
}

}  // namespace
}  // namespace cancelsafe
