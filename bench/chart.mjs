/** @returns a bar chart as SVG; bars are as long as their values are large */
export function chart(title, bars) {
  const [left, width, height] = [170, 640, 26];
  const most = Math.max(...bars.map(({ value }) => value));
  const rows = bars.map(({ name, value }, index) => {
    const y = 40 + index * height;
    const length = ((width - left - 60) * value) / most;
    const color = name.startsWith('clutch') ? '#2f6f4f' : '#9aa5a0';
    return `<text x="${left - 8}" y="${y + 13}" text-anchor="end">${name}</text><rect x="${left}" y="${y}" width="${length.toFixed(1)}" height="18" fill="${color}"/><text x="${(left + length + 6).toFixed(1)}" y="${y + 13}">×${value.toFixed(2)}</text>`;
  });
  const total = 50 + bars.length * height;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${total}" font-family="sans-serif" font-size="13"><title>${title}</title><rect width="100%" height="100%" fill="#fff"/><text x="${left}" y="24" font-weight="bold">${title}</text>${rows.join('')}</svg>\n`;
}
