/* Has the browser keep the page that is shown where there is no connection: storefront/offline/. After everything else,
   since no page needs it. A browser without service workers, or one that keeps nothing, shows its own page instead. */
const { workerAddress } = document.querySelector("script[data-worker-address]").dataset;

function start() {
  navigator.serviceWorker?.register(workerAddress, { updateViaCache: "all" }).catch(() => {});
}

if (document.readyState === "complete") start();
else addEventListener("load", start);
