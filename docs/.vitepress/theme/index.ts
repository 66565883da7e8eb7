/** The default theme of VitePress, with code and tables that can be read on a phone. */
import DefaultTheme from "vitepress/theme"
import "./style.css"

export default DefaultTheme
