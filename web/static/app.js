"use strict";
// x
