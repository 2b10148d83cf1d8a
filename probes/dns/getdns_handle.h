#pragma once

#include <memory>

#include <getdns/getdns.h>

namespace probes::dns {

struct DictFree {
  void operator()(getdns_dict* dict) const { getdns_dict_destroy(dict); }
};
using Dict = std::unique_ptr<getdns_dict, DictFree>;

struct ListFree {
  void operator()(getdns_list* list) const { getdns_list_destroy(list); }
};
using List = std::unique_ptr<getdns_list, ListFree>;

}  // namespace probes::dns
