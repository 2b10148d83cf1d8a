#pragma once

#include <filesystem>

namespace storage {

// What stands beside a database of SQLite while it is open, and after a crash.
inline constexpr const char* kCompanions[] = {"-wal", "-shm"};

// Nobody but its owner reads what the agent remembers. Makes an empty file when there is none;
// SQLite gives its companions the same rights. Where it cannot, SQLite will say why.
void create_private(const std::filesystem::path& database);
// Takes the rights of others from a database and its companions, which were made otherwise.
void make_private(const std::filesystem::path& database);

// What root makes for the agent belongs to whoever the database, or else its folder, belongs to:
// the agent, which is not root, is to use it. Nothing happens for others.
void give_to_owner_of(const std::filesystem::path& database, int fd);

}  // namespace storage
