package demo

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// A product is something on the shelf. Prices are in yen.
type product struct {
	ID    string
	Name  string
	Blurb string
	Yen   int
	Icon  string // the id of a symbol in page/index.html
}

var products = []product{
	{"happi", "Happi coat", "Indigo cotton, the crest of your brigade on the back.", 8800, "i-coat"},
	{"matoi", "Matoi standard", "Spin it on the roof so that the others know where to run.", 12600, "i-matoi"},
	{"hansho", "Fire bell", "One stroke: far away. Many strokes: wake everybody.", 4400, "i-bell"},
	{"tobiguchi", "Tobiguchi hook", "When water is short, take the house apart.", 3900, "i-hook"},
}

// Price writes the price with a comma before the thousands. Nothing in this shop
// costs a million.
func (p product) Price() string {
	if p.Yen < 1000 {
		return fmt.Sprintf("¥%d", p.Yen)
	}
	return fmt.Sprintf("¥%d,%03d", p.Yen/1000, p.Yen%1000)
}

// A receipt is what a customer gets, and what the cache keeps of it.
type receipt struct {
	Order   string `json:"order"`
	Product string `json:"product"`
	Yen     int    `json:"yen"`
	Seal    string `json:"seal"`
	Worker  int    `json:"worker"`
}

const (
	restockBelow = 5
	restockTo    = 500
	paymentTakes = 3 * time.Millisecond
	sealRounds   = 500
)

// A till sells: it takes goods off the shelf, writes the order into the ledger,
// asks for the payment and prints a receipt into the cache. The shelf's lock is
// always taken before the ledger's; wedge is the one place that does not keep to
// it, which is how such bugs come about.
type till struct {
	cache *cache

	shelf  namedLock
	stock  map[string]int // by product id; guarded by shelf
	ledger namedLock
	sold   int // orders so far; guarded by ledger

	// slowUntil and slowBy are the slow fault: until that time (Unix
	// nanoseconds) each payment takes this much longer.
	slowUntil, slowBy atomic.Int64
}

// A namedLock lets a worker say what it waits for.
type namedLock struct {
	name string
	mu   sync.Mutex
}

func (l *namedLock) lock(w *worker) {
	w.say("waiting for the lock of the " + l.name)
	l.mu.Lock()
	w.say("holding the lock of the " + l.name)
}

func (l *namedLock) unlock() { l.mu.Unlock() }

func newTill(c *cache) *till {
	t := &till{cache: c, stock: map[string]int{}}
	t.shelf.name, t.ledger.name = "shelf", "ledger"
	for _, p := range products {
		t.stock[p.ID] = restockTo
	}
	return t
}

func productByID(id string) (product, bool) {
	for _, p := range products {
		if p.ID == id {
			return p, true
		}
	}
	return product{}, false
}

// buy sells one product.
func (t *till) buy(w *worker, p product) (receipt, error) {
	order := t.take(w, p)
	t.pay(w)
	r := receipt{Order: order, Product: p.ID, Yen: p.Yen, Worker: w.id}
	w.say("printing the receipt")
	r.Seal = seal(r.Order)
	raw, err := json.Marshal(r)
	if err != nil {
		return receipt{}, fmt.Errorf("print the receipt: %w", err)
	}
	if err := t.cache.put("receipt-"+r.Order+".json", raw); err != nil {
		return receipt{}, err
	}
	return r, nil
}

// take moves one piece from the shelf into the ledger and returns the number of
// the order.
func (t *till) take(w *worker, p product) string {
	t.shelf.lock(w)
	defer t.shelf.unlock()
	if t.stock[p.ID]--; t.stock[p.ID] < restockBelow {
		t.stock[p.ID] = restockTo
	}
	t.ledger.lock(w)
	defer t.ledger.unlock()
	t.sold++
	return fmt.Sprintf("%x-%06d", time.Now().Unix(), t.sold)
}

// quote looks the product up and asks the payment service whether it is there:
// the way of a purchase, without the purchase. Health is measured with it.
func (t *till) quote(w *worker, p product) (left int) {
	t.shelf.lock(w)
	left = t.stock[p.ID]
	t.shelf.unlock()
	t.pay(w)
	return left
}

// pay waits for the payment service.
func (t *till) pay(w *worker) {
	w.say("waiting for the payment service")
	takes := paymentTakes
	if time.Now().UnixNano() < t.slowUntil.Load() {
		takes += time.Duration(t.slowBy.Load())
	}
	time.Sleep(takes)
}

// slow is the fault that makes payments take longer for a while.
func (t *till) slow(by, lasting time.Duration) {
	t.slowBy.Store(int64(by))
	t.slowUntil.Store(time.Now().Add(lasting).UnixNano())
}

// wedge returns the two jobs that, run by two workers, block each other for
// ever: a delivery takes the shelf and then the ledger, a stocktaking the other
// way round, and each waits until the other has its first lock.
func (t *till) wedge() (delivery, stocktaking func(w *worker) error) {
	haveShelf, haveLedger := make(chan struct{}), make(chan struct{})
	delivery = func(w *worker) error {
		t.shelf.lock(w)
		defer t.shelf.unlock()
		close(haveShelf)
		<-haveLedger
		t.ledger.lock(w)
		defer t.ledger.unlock()
		return nil
	}
	stocktaking = func(w *worker) error {
		t.ledger.lock(w)
		defer t.ledger.unlock()
		close(haveLedger)
		<-haveShelf
		t.shelf.lock(w)
		defer t.shelf.unlock()
		return nil
	}
	return delivery, stocktaking
}

// seal is the arithmetic of a sale: a hash of a hash of the order's number.
func seal(order string) string {
	sum := sha256.Sum256([]byte(order))
	for range sealRounds {
		sum = sha256.Sum256(sum[:])
	}
	return hex.EncodeToString(sum[:8])
}
