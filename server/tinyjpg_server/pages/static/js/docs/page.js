// The reference page, with scripts.

import { setUpContents } from "./contents.js";
import { setUpCopying } from "./copying.js";
import { setUpKey } from "./key.js";
import { setUpTabs } from "./tabs.js";

setUpTabs();
setUpCopying();
setUpKey();
setUpContents();
