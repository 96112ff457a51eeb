// The pages are docs/**/*.md as a code host shows them; docs/index.md and docs/zh/index.md are the navigation.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { defineConfig } from 'vitepress';

const docs = path.join(import.meta.dirname, '../../docs');
const topics = { en: topicsOf('index.md'), zh: topicsOf('zh/index.md') };
const api = { text: 'API', items: [{ text: 'API of the entries', link: '/api/' }] };

export default defineConfig({
  title: 'Clutch',
  description: "A Koa framework with Egg's conventions, a typed loader and a supervised cluster built in",
  srcDir: '../docs',
  cleanUrls: true,
  // Raw results of the benchmarks and pages of the repository are on the code host only.
  ignoreDeadLinks: [/bench\/results\//, /\.\.\/(?:CHANGELOG|CONTRIBUTING|README|SECURITY)/],
  markdown: { config: showBraces },
  vite: { plugins: [{ name: 'vue-of-site', enforce: 'pre', resolveId: resolveVue }] },
  locales: {
    root: {
      label: 'English',
      lang: 'en',
      themeConfig: {
        nav: [...barOf(topics.en), { text: 'API', link: '/api/' }],
        sidebar: [...topics.en, ...(existsSync(path.join(docs, 'api')) ? [api] : [])],
      },
    },
    zh: {
      label: '简体中文',
      lang: 'zh-CN',
      description: '沿用 Egg 约定的 Koa 框架，内置类型化的加载器和受监管的集群',
      themeConfig: {
        nav: barOf(topics.zh),
        sidebar: topics.zh,
        outline: { level: [2, 3], label: '本页内容' },
        docFooter: { prev: '上一页', next: '下一页' },
        returnToTopLabel: '回到顶部',
        sidebarMenuLabel: '目录',
        darkModeSwitchLabel: '外观',
        langMenuLabel: '语言',
      },
    },
  },
  themeConfig: {
    outline: { level: [2, 3] },
    search: {
      provider: 'local',
      options: {
        miniSearch: { options: { tokenize: wordsOf } },
        locales: {
          zh: {
            translations: {
              button: { buttonText: '搜索', buttonAriaLabel: '搜索' },
              modal: {
                noResultsText: '没有结果：',
                resetButtonTitle: '清除',
                footer: { selectText: '打开', navigateText: '切换', closeText: '关闭' },
              },
            },
          },
        },
      },
    },
  },
});

/** Words of a text to search in; Chinese has no spaces between them. VitePress sends this function to the browser, as text. */
function wordsOf(text) {
  const words = new Intl.Segmenter('zh', { granularity: 'word' }).segment(text);
  return [...words].filter((word) => word.isWordLike).map((word) => word.segment);
}

/** @returns what an index page lists: a group for each `## heading`, an entry for each line `- [text](page.md): …` */
function topicsOf(index) {
  const [, ...sections] = readFileSync(path.join(docs, index), 'utf8').split(/^## /m);
  return sections.map((section) => ({
    text: section.split('\n')[0],
    items: [...section.matchAll(/^- \[([^\]]+)\]\(([\w/-]+)\.md\)/gm)].map(([, text, page]) => ({
      text,
      link: path.posix.join('/', path.dirname(index), page),
    })),
  }));
}

/** @returns an entry of the bar at the top for each topic: its first page */
function barOf(groups) {
  return groups.map(({ text, items: [{ link }] }) => ({ text, link }));
}

/** A page becomes a module that imports Vue, which is not installed where the pages lie but here. */
function resolveVue(source, importer) {
  if (!/^vue(?:\/|$)/.test(source) || !importer?.startsWith(docs)) return undefined;
  return this.resolve(source, import.meta.filename, { skipSelf: true });
}

/** `{{ }}` in the text of a page is an example of a template, not for Vue. */
function showBraces(markdown) {
  const { code_inline: render } = markdown.renderer.rules;
  markdown.renderer.rules.code_inline = (tokens, index, ...rest) => {
    tokens[index].attrSet('v-pre', '');
    return render(tokens, index, ...rest);
  };
}
