// The dashboards and rules of this folder as a monitoring mixin, for those who write their monitoring in jsonnet.
// Nothing stands here twice: the files beside are read, and what differs from place to place is put into them.
//   local danelaw = (import 'github.com/…/danelaw/dashboards/mixin.libsonnet') + {
//     _config+:: { pageUrl: 'https://danelaw.example.org', job: 'mail/danelaw' },
//   };
// go-jsonnet, or jsonnet 0.18 and newer.
{
  _config+:: {
    pageUrl: 'http://127.0.0.1:9672',  // where browsers reach danelaw's page: links go there
    job: 'danelaw',  // the scrape job, as the rules find it
    tags: ['danelaw', 'mail'],  // of the dashboards
  },

  local config = $._config,
  local placed(text) = std.strReplace(
    std.strReplace(text, 'http://127.0.0.1:9672', config.pageUrl),
    'job="danelaw"',
    'job="%s"' % config.job,
  ),
  local dashboard(text) = std.parseJson(placed(text)) + {
    tags: config.tags,
    // The menu of dashboards finds the others by the first tag.
    links: [link { tags: config.tags[:1] } for link in super.links],
  },
  local groups(text) = std.parseYaml(placed(text)).groups,

  grafanaDashboardFolder:: 'Danelaw',
  grafanaDashboards+:: {
    'danelaw-overview.json': dashboard(importstr 'grafana/danelaw-overview.json'),
    'danelaw-mx.json': dashboard(importstr 'grafana/danelaw-mx.json'),
    'danelaw-agent.json': dashboard(importstr 'grafana/danelaw-agent.json'),
  },
  prometheusAlerts+:: {
    groups+: groups(importstr 'prometheus/danelaw-mail.rules.yml')
             + groups(importstr 'prometheus/danelaw-agent.rules.yml'),
  },
  prometheusRules+:: { groups+: [] },
}
