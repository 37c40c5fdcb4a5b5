// Blocks the first paint (blocking="render") until the rows stand: nothing moves afterwards.

import { fadeIn } from "./fade.js";
import { layOutAll } from "./layout.js";

layOutAll();
fadeIn();
