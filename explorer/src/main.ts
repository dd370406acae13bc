/** Open the site that this page belongs to. */

import { readAddress } from "./address";
import { isInOneFile, openDoor } from "./data/door";
import { asFailure } from "./data/failure";
import { Site } from "./data/site";
import { fill } from "./dom";
import { Explorer } from "./explorer";
import { layOut } from "./page";
import { failureText } from "./panels/notice";
import "./style.css";

async function main(): Promise<void> {
  const host = document.getElementById("explorer")!;
  try {
    const site = await Site.open(openDoor(document), isInOneFile(document));
    const explorer = new Explorer(site, readAddress(location.hash.slice(1), site));
    layOut(host, explorer);
    explorer.start();
  } catch (error) {
    fill(host, failureText(asFailure(error)));
  }
}

void main();
