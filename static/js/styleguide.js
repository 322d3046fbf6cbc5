/* Shows the style guide in the theme its address names, whatever the reader has chosen for all other pages. */
const { themeShown } = document.querySelector("script[data-theme-shown]").dataset;
if (themeShown) document.documentElement.dataset.theme = themeShown;
